//! vLLM: adapters by the tenant's name, answers that the server keeps.

use serde_json::json;

use super::super::kit::{Arrived, Ask};
use super::{isolated, start};

const CHAT: &str = "/v1/chat/completions";

#[test]
fn the_adapters_of_vllm_are_apart() {
    isolated("vllm");
    let (_, running) = start("vllm");
    let models = running.acme().get("/v1/models").ok();
    assert!(models.text().contains("org/base"), "{models}");
    assert!(!models.text().contains("/srv") && !models.text().contains("/adapters"), "{models}");
}

/// A base model is everybody's, and nobody loads or unloads it; a folder that is no tenant's is nobody's.
#[test]
fn base_models_of_vllm_are_used_and_not_changed() {
    let (_, running) = start("vllm");
    let acme = running.acme();
    acme.post(CHAT, &json!({"model": "org/base", "messages": []})).ok();
    for (path, name, folder) in [
        ("/v1/unload_lora_adapter", "org/base", "/a/tenants/acme/a"),
        ("/v1/load_lora_adapter", "org/base", "/a/tenants/acme/a"),
        ("/v1/load_lora_adapter", "acme:new", "/etc"),
        ("/v1/load_lora_adapter", "acme:new", "tenants/acme"),
        ("/v1/load_lora_adapter", "acme:new", "/a/tenants/globex/tenants/acme/a"),
        ("/v1/load_lora_adapter", "acme:new", "/a/tenants/acme/../globex/a"),
    ] {
        let answer = acme.post(path, &json!({"lora_name": name, "lora_path": folder}));
        assert_eq!(answer.status, 404, "{path} {name} {folder}: {answer}");
    }
    assert_eq!(running.upstream.arrived().len(), 1);
}

/// What would reach another request by its number or name does not go up.
#[test]
fn what_names_the_memory_of_others_does_not_reach_vllm() {
    let (_, running) = start("vllm");
    let picture = json!({"type": "image_url", "image_url": null, "uuid": "logo"});
    let body = json!({
        "model": "org/base",
        "messages": [{"role": "user", "content": [picture]}],
        "request_id": "theirs",
        "priority": -9,
        "cache_salt": "salt",
        "kv_transfer_params": {"remote_block_ids": [1]},
    });
    running.acme().post(CHAT, &body).ok();
    running.globex().post(CHAT, &body).ok();
    let arrived = running.upstream.arrived();
    let sent: Vec<_> = arrived.iter().map(Arrived::value).collect();
    for value in &sent {
        for gone in ["request_id", "priority", "kv_transfer_params"] {
            assert!(value.get(gone).is_none(), "{gone}: {value}");
        }
    }
    assert_ne!(sent[0]["cache_salt"], sent[1]["cache_salt"]);
    let uuid = "/messages/0/content/0/uuid";
    assert_ne!(sent[0].pointer(uuid).unwrap(), sent[1].pointer(uuid).unwrap());
    for field in ["chat_template", "prompt_logprobs", "logprobs", "return_token_ids"] {
        let mut body = json!({"model": "org/base", "messages": []});
        body[field] = json!(1);
        let answer = running.acme().ask(&Ask::json(CHAT, &body));
        assert_eq!(answer.status, 403, "{field}: {answer}");
    }
}
