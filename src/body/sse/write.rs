//! Events as they go out.

use super::event::Field;
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
            let value = frame.bytes.get(line.value.clone()).unwrap_or_default();
            if !value.is_empty() && whole.run(job, value, None)? {
                let mut censored = Vec::new();
                whole.write(value, &mut censored);
                // What is put in must not end the line.
                censored.retain(|byte| !matches!(byte, b'\n' | b'\r'));
                sink.flush(line.value.start);
                sink.put(&censored);
                sink.skip(line.value.end);
            }
        }
    }
    sink.flush(frame.bytes.len());
    out.append(&mut written);
    Ok(())
}
