//! What a body says at the places that decide about it.

/// The values found at watched places, in the order of the body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(Vec<Fact>);

/// One value at a watched place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Which place: the index of the watch in its plan, or of the field in the form.
    pub watch: usize,
    /// What stands there.
    pub value: FactValue,
    /// In which item of the body's first array, counted from none, if it stands in one: what belongs together in a list.
    pub item: Option<u32>,
}

/// A value as its reader would understand it.
#[derive(Clone, PartialEq, Eq)]
pub enum FactValue {
    /// A string, decoded.
    Text(Box<str>),
    /// A number, as it is written.
    Number(Box<str>),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// An object.
    Composite,
    /// An array.
    List,
    /// A string or a number longer than the limit for deciding values.
    TooLong,
}

/// A fact may hold what must not be logged, so it shows its shape only.
impl std::fmt::Debug for FactValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Number(text) => write!(f, "Number({} bytes)", text.len()),
            Self::Bool(value) => write!(f, "Bool({value})"),
            Self::Null => f.write_str("Null"),
            Self::Composite => f.write_str("Composite"),
            Self::List => f.write_str("List"),
            Self::TooLong => f.write_str("TooLong"),
        }
    }
}

impl FactValue {
    /// The value as text, the way a form or a query would carry it: strings and numbers as they are, `true`,
    /// `false`. None for `null`, composites and values that were too long to keep.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Bool(true) => Some("true"),
            Self::Bool(false) => Some("false"),
            Self::Null | Self::Composite | Self::List | Self::TooLong => None,
        }
    }

    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Text(text) | Self::Number(text) => text.len(),
            _ => 0,
        }
    }
}

impl Facts {
    /// All of them, in the order of the body.
    pub fn iter(&self) -> std::slice::Iter<'_, Fact> {
        self.0.iter()
    }

    /// The values at one watched place.
    pub fn at(&self, watch: usize) -> impl Iterator<Item = &FactValue> {
        self.0.iter().filter(move |fact| fact.watch == watch).map(|fact| &fact.value)
    }

    /// The first value at a watched place.
    #[must_use]
    pub fn first(&self, watch: usize) -> Option<&FactValue> {
        self.at(watch).next()
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds one. For tests of what reads facts, and for the formats.
    pub fn add(&mut self, watch: usize, value: FactValue) {
        self.add_in(watch, value, None);
    }

    /// Adds one that stands in an item of a list.
    pub(crate) fn add_in(&mut self, watch: usize, value: FactValue, item: Option<u32>) {
        self.0.push(Fact { watch, value, item });
    }

    /// Adds those of another body, behind.
    pub fn append(&mut self, mut more: Self) {
        self.0.append(&mut more.0);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn weight(&self) -> usize {
        self.0.iter().map(|fact| fact.value.weight() + size_of::<Fact>()).sum()
    }
}

impl<'a> IntoIterator for &'a Facts {
    type Item = &'a Fact;
    type IntoIter = std::slice::Iter<'a, Fact>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
