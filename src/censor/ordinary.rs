//! Names of members that stand in nearly every document of an API. They are looked at once, when an engine is
//! compiled, and not in every body.

use super::{Context, Engine};

/// Names under which no rule of the pack looks at a number.
const SILENT: &[&str] = &[
    "annotations",
    "arguments",
    "audio",
    "body",
    "bytes",
    "cache_control",
    "choices",
    "code",
    "content",
    "content_block",
    "content_index",
    "created",
    "custom_id",
    "data",
    "delta",
    "description",
    "detail",
    "embedding",
    "enum",
    "error",
    "event",
    "event_id",
    "file",
    "file_id",
    "filename",
    "finish_reason",
    "first_id",
    "format",
    "function",
    "has_more",
    "id",
    "image_url",
    "index",
    "input",
    "instructions",
    "item_id",
    "items",
    "json_schema",
    "last_id",
    "logprob",
    "logprobs",
    "message",
    "messages",
    "metadata",
    "method",
    "model",
    "n",
    "name",
    "object",
    "output",
    "output_index",
    "parameters",
    "partial_json",
    "prompt",
    "properties",
    "purpose",
    "reasoning",
    "refusal",
    "required",
    "response",
    "response_format",
    "response_id",
    "role",
    "schema",
    "seed",
    "sequence_number",
    "service_tier",
    "status",
    "stop",
    "stop_reason",
    "store",
    "stream",
    "stream_options",
    "strict",
    "system",
    "system_fingerprint",
    "temperature",
    "text",
    "thinking",
    "title",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "type",
    "url",
    "usage",
    "user",
    "value",
];

/// Names of which a part is a word of such a rule.
const OTHER: &[&str] = &[
    "cached_tokens",
    "completion_tokens",
    "created_at",
    "input_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens",
    "output_tokens",
    "prompt_tokens",
    "tokens",
    "tool_call_id",
    "tool_calls",
    "total_tokens",
];

const SLOTS: usize = 512;

/// Every name, and whether it is silent, at the place that its hash says or behind it.
static TABLE: [Option<(&str, bool)>; SLOTS] = {
    let mut table = [None; SLOTS];
    let mut at = 0;
    while at < SILENT.len() + OTHER.len() {
        let silent = at < SILENT.len();
        let name = if silent { SILENT[at] } else { OTHER[at - SILENT.len()] };
        let mut slot = place(name.as_bytes());
        while table[slot].is_some() {
            slot = (slot + 1) % SLOTS;
        }
        table[slot] = Some((name, silent));
        at += 1;
    }
    table
};

const fn place(name: &[u8]) -> usize {
    if name.is_empty() {
        return 0;
    }
    let (first, middle, last) =
        (name[0] as usize, name[name.len() / 2] as usize, name[name.len() - 1] as usize);
    (name.len() * 67 + first * 5 + middle * 11 + last * 31) % SLOTS
}

#[inline]
fn find(name: &[u8]) -> Option<bool> {
    let mut slot = place(name);
    while let Some((known, silent)) = TABLE.get(slot).copied().flatten() {
        if known.as_bytes() == name {
            return Some(silent);
        }
        slot = (slot + 1) % SLOTS;
    }
    None
}

/// What an engine knows of ordinary names.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ordinary {
    /// None of them is a finding.
    clean: bool,
    /// The silent ones speak for no numbers.
    silent: bool,
}

impl Engine {
    /// Whether this is a name of which the engine knows that it is no finding.
    #[inline]
    #[must_use]
    pub fn is_ordinary(&self, name: &[u8]) -> bool {
        self.ordinary.clean && find(name).is_some()
    }

    /// Whether this is a name of which the engine knows that it makes no finding of a number under it.
    #[inline]
    #[must_use]
    pub fn is_silent(&self, name: &[u8]) -> bool {
        self.ordinary.silent && find(name) == Some(true)
    }

    /// Looks at the ordinary names.
    pub(super) fn look_at_ordinary(&self) -> Ordinary {
        let mut found = Vec::new();
        let clean = SILENT.iter().chain(OTHER).all(|name| {
            self.scan(name.as_bytes(), Context::default(), &mut found);
            found.is_empty()
        });
        Ordinary { clean, silent: SILENT.iter().all(|name| !self.speaks_for_numbers(name)) }
    }
}
