//! Archives: ZIP, tar, gzip. Each member is censored as what it is, names are censored as text, and members in which
//! nothing was found keep their bytes, packed as they were.
//!
//! What readers of archives disagree about is refused: entries over each other, two headers that say different
//! things, names that lead out of the folder that an archive is unpacked into, bytes that belong to nothing.

pub(crate) mod gzip;
mod names;
pub(crate) mod tar;
pub(crate) mod zip;

#[cfg(test)]
mod tests;
