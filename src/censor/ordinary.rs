//! Names of members that stand in nearly every document of an API. They are looked at once, when an engine is
//! compiled, and not in every body.

use super::{Context, Engine};

macro_rules! names {
    ($list:ident $test:ident $($name:literal)*) => {
        const $list: &[&str] = &[$($name),*];

        #[inline]
        fn $test(name: &[u8]) -> bool {
            matches!(str::from_utf8(name), Ok($($name)|*))
        }
    };
}

names! { SILENT is_silent
    "annotations" "arguments" "audio" "body" "bytes" "cache_control" "choices" "code" "content" "content_block"
    "content_index" "created" "custom_id" "data" "delta" "description" "detail" "embedding" "enum" "error" "event"
    "event_id" "file" "file_id" "filename" "finish_reason" "first_id" "format" "function" "has_more" "id" "image_url"
    "index" "input" "instructions" "item_id" "items" "json_schema" "last_id" "logprob" "logprobs" "message" "messages"
    "metadata" "method" "model" "n" "name" "object" "output" "output_index" "parameters" "partial_json" "prompt"
    "properties" "purpose" "reasoning" "refusal" "required" "response" "response_format" "response_id" "role" "schema"
    "seed" "sequence_number" "service_tier" "status" "stop" "stop_reason" "store" "stream" "stream_options" "strict"
    "system" "system_fingerprint" "temperature" "text" "thinking" "title" "tool_choice" "tools" "top_logprobs" "top_p"
    "type" "url" "usage" "user" "value"
}

// Rules of the pack read numbers under these: a part of the name is a word of theirs.
names! { OTHER is_other
    "cached_tokens" "completion_tokens" "created_at" "input_tokens" "max_completion_tokens" "max_output_tokens"
    "max_tokens" "output_tokens" "prompt_tokens" "tokens" "tool_call_id" "tool_calls" "total_tokens"
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
        self.ordinary.clean && (is_silent(name) || is_other(name))
    }

    /// Whether this is a name of which the engine knows that it makes no finding of a number under it.
    #[inline]
    #[must_use]
    pub fn is_silent(&self, name: &[u8]) -> bool {
        self.ordinary.silent && is_silent(name)
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
