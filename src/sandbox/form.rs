//! `multipart/form-data`, read as a stream; of files only what [`Sink`] keeps stays in memory.

use http::StatusCode;
use http::header::CONTENT_TYPE;
use multer::{Constraints, Multipart, SizeLimit};

use super::call::Call;
use super::content::{Budget, Content, Sink};
use super::reply::Fault;

/// The longest field that is not a file.
const MOST_FIELD: usize = 1024 * 1024;
/// How many parts a form may have.
const MOST_PARTS: usize = 128;
/// The longest form.
const MOST_FORM: u64 = 16 * 1024 * 1024 * 1024;

/// A form.
#[derive(Default)]
pub(super) struct Form {
    fields: Vec<(String, String)>,
    pub(super) files: Vec<Part>,
}

/// A part with a file name.
pub(super) struct Part {
    pub(super) field: String,
    pub(super) filename: String,
    pub(super) content: Content,
}

impl Form {
    /// Reads all parts, in whatever order they come.
    pub(super) async fn read(call: &mut Call, keep: usize, budget: &Budget) -> Result<Self, Fault> {
        let kind = call.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let boundary = multer::parse_boundary(kind).map_err(|_not_a_form| {
            Fault::invalid("The request must be multipart/form-data.")
                .status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
        })?;
        let broken = |problem: multer::Error| Fault::invalid(format!("The form can't be read: {problem}"));
        let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(MOST_FORM));
        let mut parts = Multipart::with_constraints(call.pieces(), boundary, limits);
        let mut form = Self::default();
        while let Some(mut part) = parts.next_field().await.map_err(broken)? {
            if form.fields.len() + form.files.len() == MOST_PARTS {
                return Err(Fault::invalid(format!("The form has more than {MOST_PARTS} parts.")));
            }
            let field = part.name().unwrap_or_default().to_owned();
            if let Some(filename) = part.file_name().map(str::to_owned) {
                let mut sink = Sink::new(keep, budget);
                while let Some(piece) = part.chunk().await.map_err(broken)? {
                    sink.push(&piece);
                }
                form.files.push(Part { field, filename, content: sink.finish() });
            } else {
                let mut bytes = Vec::new();
                while let Some(piece) = part.chunk().await.map_err(broken)? {
                    bytes.extend_from_slice(&piece);
                    if bytes.len() > MOST_FIELD {
                        return Err(Fault::invalid(format!("A field is longer than {MOST_FIELD} bytes.")));
                    }
                }
                form.fields.push((field, String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
        Ok(form)
    }

    /// The first field of this name.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
    }

    /// Takes the first file of this name out.
    pub(super) fn file(&mut self, name: &'static str) -> Result<Part, Fault> {
        let place = self.files.iter().position(|part| part.field == name);
        place.map(|place| self.files.remove(place)).ok_or_else(|| {
            Fault::invalid(format!("Missing required parameter: '{name}'."))
                .param(name)
                .code("missing_required_parameter")
        })
    }
}
