//! What does a published specification say? An OpenAPI file (3.0 or 3.1) becomes the first draft of an API profile.
//!
//! A draft is closed: what a specification can't tell (whose a thing is, what an answer gives away) is refused or belongs to
//! nobody until a person has decided, and each such place says so in a comment that begins with `decide:`.

mod document;
mod draft;
mod fields;
mod words;
mod yaml;

pub use document::Document;
pub use draft::{Draft, draft};

#[cfg(test)]
mod tests;
