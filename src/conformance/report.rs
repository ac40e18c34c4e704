//! What was found, as a table.

use std::fmt::Write as _;

use serde::Serialize;

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// A place where an id can stand: another's, an invented and a malformed one are answered alike.
    Place,
    /// What a tenant sees of its own does not change by what the other makes.
    Apart,
    /// A tenant sees its own.
    Own,
    /// What belongs to a tenant is as it was before the other tried.
    Unchanged,
    /// What was ended is answered as if it had never been.
    Ended,
    /// What the profile refuses is refused.
    Refused,
    /// A resource to try with.
    Made,
}

impl Check {
    /// Its word in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::Apart => "apart",
            Self::Own => "own",
            Self::Unchanged => "unchanged",
            Self::Ended => "ended",
            Self::Refused => "refused",
            Self::Made => "made",
        }
    }
}

/// How it came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it has to be.
    Same,
    /// Not as it has to be.
    Differs,
    /// It could not be tried.
    Untried,
}

impl Outcome {
    /// Its word in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Differs => "DIFFERS",
            Self::Untried => "untried",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The route, by its name in the configuration.
    pub route: String,
    /// The operation.
    pub operation: String,
    /// What was looked at.
    pub check: Check,
    /// Where the id stood, or the template of what was asked for. No id.
    pub place: String,
    /// The kind of the id, if it is about one.
    pub kind: String,
    /// How it came out.
    pub outcome: Outcome,
    /// In what, or why not. No part of an answer's body.
    pub detail: String,
}

impl Row {
    /// Its case in JUnit's XML.
    fn case(&self, out: &mut String) {
        let about: Vec<&str> =
            [self.check.as_str(), &self.kind, &self.place].into_iter().filter(|t| !t.is_empty()).collect();
        let head = format!(
            "    <testcase classname=\"{}.{}\" name=\"{}\"",
            xml(&self.route),
            xml(&self.operation),
            xml(&about.join(" "))
        );
        let element = match self.outcome {
            Outcome::Same => None,
            Outcome::Differs => Some("failure"),
            Outcome::Untried => Some("skipped"),
        };
        let _ = match element {
            None => writeln!(out, "{head}/>"),
            Some(element) => {
                writeln!(out, "{head}><{element} message=\"{}\"/></testcase>", xml(&self.detail))
            }
        };
    }
}

/// Text as it stands in XML, in an attribute too.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(visible(c)),
        }
    }
    out
}

/// A control character is not XML, whatever it is written as, and to a terminal it may be an order.
fn visible(c: char) -> char {
    if c.is_control() { '\u{fffd}' } else { c }
}

/// Text as it may be shown in a terminal. What a deployment gave out as an id may hold anything.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(visible).collect()
}

/// The report with its sums.
#[derive(Serialize)]
struct Document<'r> {
    same: usize,
    differs: usize,
    untried: usize,
    #[serde(flatten)]
    report: &'r Report,
}

/// Everything that was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many answers were read.
    pub answers: usize,
    /// What was looked at.
    pub rows: Vec<Row>,
    /// What was made and could not be taken back.
    pub left: Vec<String>,
}

impl Report {
    /// How many rows came out so.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.rows.iter().filter(|row| row.outcome == outcome).count()
    }

    /// Whether anything was shown of a place where an id can stand: without one, all the rest may be the same for nothing.
    #[must_use]
    pub fn shows(&self) -> bool {
        let shown = |row: &&Row| row.check == Check::Place && !row.kind.is_empty();
        self.rows.iter().filter(shown).any(|row| row.outcome == Outcome::Same)
    }

    /// One line.
    #[must_use]
    pub fn summary(&self) -> String {
        format!(
            "{} answers read: {} checks the same, {} DIFFER, {} untried",
            self.answers,
            self.count(Outcome::Same),
            self.count(Outcome::Differs),
            self.count(Outcome::Untried),
        )
    }

    /// The report as one JSON document.
    ///
    /// # Errors
    /// If it can't be written, which no report is known for.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(&Document {
            same: self.count(Outcome::Same),
            differs: self.count(Outcome::Differs),
            untried: self.count(Outcome::Untried),
            report: self,
        })
    }

    /// The report in JUnit's XML: a suite for each route, a case for each row. What differs is a failure, what was not
    /// tried is skipped, what was left behind stands in the suite's `system-err`.
    #[must_use]
    pub fn junit(&self) -> String {
        let mut routes: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !routes.contains(&row.route.as_str()) {
                routes.push(&row.route);
            }
        }
        let mut out = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"consentry conformance\">\n",
        );
        for (nth, route) in routes.into_iter().enumerate() {
            let rows: Vec<&Row> = self.rows.iter().filter(|row| row.route == route).collect();
            let many = |outcome| rows.iter().filter(|row| row.outcome == outcome).count();
            let _ = writeln!(
                out,
                "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">",
                xml(route),
                rows.len(),
                many(Outcome::Differs),
                many(Outcome::Untried),
            );
            rows.iter().for_each(|row| row.case(&mut out));
            if nth == 0 && !self.left.is_empty() {
                let _ =
                    writeln!(out, "    <system-err>left behind: {}</system-err>", xml(&self.left.join(", ")));
            }
            out.push_str("  </testsuite>\n");
        }
        out.push_str("</testsuites>");
        out
    }

    /// A table for people: what differs last, where it is seen.
    #[must_use]
    pub fn text(&self) -> String {
        let heads = ["outcome", "check", "operation", "kind", "place", "detail"];
        let cells = |row: &Row| {
            let texts = [
                row.outcome.as_str(),
                row.check.as_str(),
                &row.operation,
                &row.kind,
                &row.place,
                &row.detail,
            ];
            texts.map(plain)
        };
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        rows.sort_by_key(|row| match row.outcome {
            Outcome::Same => 0,
            Outcome::Untried => 1,
            Outcome::Differs => 2,
        });
        let mut lines = vec![heads.map(str::to_owned)];
        lines.extend(rows.into_iter().map(cells));
        let width = |at: usize| lines.iter().filter_map(|l| l.get(at)).map(|c| c.chars().count()).max();
        let widths: Vec<usize> = (0..heads.len()).map(|at| width(at).unwrap_or_default()).collect();
        let mut out = String::new();
        for line in &lines {
            let padded = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            let _ = writeln!(out, "{}", padded.collect::<Vec<_>>().join("  ").trim_end());
        }
        for left in &self.left {
            let _ = writeln!(out, "left behind: {}", plain(left));
        }
        let _ = write!(out, "{}", self.summary());
        out
    }
}

#[cfg(test)]
mod tests;
