//! Events as they go out.

use super::event::{Field, field};
use super::template::data_lines;
use super::view::Frame;
use crate::body::Job;
use crate::body::sink::Sink;
use crate::body::text::Whole;
use crate::reason::Refusal;

/// Writes an event: its data as it is or anew, its other lines censored.
pub(super) fn write(
    whole: &mut Whole,
    job: &Job,
    frame: &Frame<'_>,
    data: Option<&[u8]>,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let mut written = Vec::with_capacity(frame.bytes.len());
    let mut sink = Sink::new(frame.bytes, &mut written);
    let mut first = true;
    for line in frame.lines {
        if line.field == Field::Data {
            let Some(data) = data else { continue };
            sink.flush(line.text.start);
            if std::mem::take(&mut first) {
                data_lines(data, frame.prefix(line), frame.end(line), sink.out());
            }
            sink.skip(line.end.end);
        } else {
            // What has no name that clients know may be anything: all of it is text.
            let at = if line.field == Field::Unknown { line.text.clone() } else { line.value.clone() };
            let text = frame.bytes.get(at.clone()).unwrap_or_default();
            if !text.is_empty() && whole.run(job, text, None)? {
                let mut censored = Vec::new();
                whole.write(text, &mut censored);
                // What is put in must not end the line.
                censored.retain(|byte| !matches!(byte, b'\n' | b'\r'));
                sink.flush(at.start);
                if line.field == Field::Unknown && field(&censored) != Field::Unknown {
                    sink.put(b":");
                }
                sink.put(&censored);
                sink.skip(at.end);
            }
        }
    }
    sink.flush(frame.bytes.len());
    out.append(&mut written);
    Ok(())
}
