//! W3C Trace Context (<https://www.w3.org/TR/trace-context/>): the caller's trace is carried on, a missing or
//! malformed one is begun anew. `tracestate` is not carried: it can hold anything.

use std::fmt;

use data_encoding::HEXLOWER;
use http::HeaderValue;

use crate::names::RequestId;

/// The trace that a request belongs to, and the gateway's own span in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    trace: [u8; 16],
    span: [u8; 8],
    flags: u8,
}

impl Trace {
    /// Continues the trace of a `traceparent` header, or begins one. Both ids come from the request's own, which is
    /// random enough for them, so that the log of one leads to the other.
    #[must_use]
    pub fn of(traceparent: Option<&[u8]>, request: RequestId) -> Self {
        let id = request.to_bytes();
        let mut span = [0; 8];
        span.copy_from_slice(&id[8..]);
        let (trace, flags) = traceparent.and_then(parse).unwrap_or((id, 0));
        Self { trace, span, flags }
    }

    /// The `traceparent` header for the upstream.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        // `00-`, 32 digits, `-`, 16 digits, `-`, 2 digits.
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        HEXLOWER.encode_mut(&self.trace, &mut text[3..35]);
        HEXLOWER.encode_mut(&self.span, &mut text[36..52]);
        HEXLOWER.encode_mut(&[self.flags], &mut text[53..]);
        HeaderValue::from_bytes(&text).unwrap_or_else(|_never| HeaderValue::from_static(""))
    }

    /// The trace's id in hexadecimal.
    #[must_use]
    pub fn trace_id(&self) -> String {
        HEXLOWER.encode(&self.trace)
    }

    /// The span's id in hexadecimal.
    #[must_use]
    pub fn span_id(&self) -> String {
        HEXLOWER.encode(&self.span)
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.trace_id(), self.span_id())
    }
}

/// Trace id and the one flag that version 00 knows. Versions to come are read as far as this one goes.
fn parse(header: &[u8]) -> Option<([u8; 16], u8)> {
    let fields = header.get(..55)?;
    let (version, trace, parent, flags) = (&fields[..2], &fields[3..35], &fields[36..52], &fields[53..]);
    let framed = [2, 35, 52].iter().all(|at| fields[*at] == b'-');
    let ended = match version {
        b"00" => header.len() == 55,
        b"ff" => false,
        _ => header.get(55).is_none_or(|next| *next == b'-'),
    };
    let byte = |digits: &[u8]| HEXLOWER.decode(digits).ok();
    let (_, flags) = (byte(version)?, byte(flags)?);
    let trace: [u8; 16] = byte(trace)?.try_into().ok()?;
    let parent = byte(parent)?;
    let valid = framed && ended && trace != [0; 16] && parent.iter().any(|b| *b != 0);
    valid.then_some((trace, flags[0] & 1))
}
