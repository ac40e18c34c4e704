//! What the bytes of an input mean: four bytes say how, the rest is a body.
//!
//! | bytes | meaning |
//! |---|---|
//! | 0 | the variation: which rules, which API, which side (a digit stands for its value) |
//! | 1 to 3 | the sizes of the pieces that the body is cut into, in turn; and where it breaks off |
//! | 4 and on | the body, in which some control characters stand for what no seed may hold in clear |
//!
//! | in the body | stands for |
//! |---|---|
//! | `01` to `08`, `0e`, `0f` | planted values, see [`values`](super::values) |
//! | `0b` n c | the byte c, many times: 64 for each of n and one more |
//! | `10` h l | an example of a rule that ships, the (256 h + l)th |

use super::values;

/// A body does not become longer than this.
const LONGEST: usize = 192 * 1024;

/// An input.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    variant: u8,
    sizes: [u8; 3],
    /// The body as it was given.
    pub template: &'a [u8],
}

impl<'a> Input<'a> {
    /// Reads the head. None: there is no whole one.
    pub fn new(data: &'a [u8]) -> Option<Self> {
        let (head, template) = data.split_first_chunk::<4>()?;
        let [variant, a, b, c] = *head;
        let variant = if variant.is_ascii_digit() { variant - b'0' } else { variant };
        Some(Self { variant, sizes: [a, b, c], template })
    }

    /// One of so many variations.
    pub fn one_of(&self, count: u8) -> u8 {
        self.variant % count
    }

    /// What is left of the variation when that was taken away.
    pub fn beyond(&self, count: u8) -> u8 {
        self.variant / count
    }

    /// The body, with everything that something else stood for.
    pub fn body(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.template.len() + 64);
        let mut rest = self.template;
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            if body.len() > LONGEST {
                break;
            }
            match (byte, rest) {
                (0x0b, [count, what, after @ ..]) => {
                    body.resize(body.len() + (usize::from(*count) + 1) * 64, *what);
                    rest = after;
                }
                (0x10, [high, low, after @ ..]) => {
                    let number = usize::from(*high) * 256 + usize::from(*low);
                    body.extend_from_slice(values::example(number).as_bytes());
                    rest = after;
                }
                _ => match values::planted(*byte) {
                    Some(value) => body.extend_from_slice(value.as_bytes()),
                    None => body.push(*byte),
                },
            }
        }
        body
    }

    /// The body in pieces.
    pub fn pieces<'b>(&self, body: &'b [u8]) -> Vec<&'b [u8]> {
        let (mut rest, mut pieces, mut sizes) = (body, Vec::new(), self.sizes.iter().cycle());
        while !rest.is_empty() {
            let size = sizes.next().map_or(1, |byte| usize::from(*byte));
            let size = if size < 192 { 1 + size % 48 } else { (size - 191) * 97 };
            let (piece, after) = rest.split_at(size.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces
    }

    /// Where it breaks off.
    pub fn end(&self, body: &[u8]) -> usize {
        let [a, b, c] = self.sizes.map(usize::from);
        (a * 65_536 + b * 256 + c) % (body.len() + 1)
    }
}
