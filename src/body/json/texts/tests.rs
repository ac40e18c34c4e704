use super::*;

fn changed(document: &str) -> Option<String> {
    let mut each = |text: &str| Ok(text.contains("Jane").then(|| text.replace("Jane", "[\"P\"]")));
    let new = texts(document.as_bytes(), &mut each).unwrap();
    new.map(|new| String::from_utf8(new).unwrap())
}

fn seen(document: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let mut each = |text: &str| {
        seen.push(text.to_owned());
        Ok(None)
    };
    assert_eq!(texts(document.as_bytes(), &mut each).unwrap(), None);
    seen
}

#[test]
fn values_are_seen_decoded_and_keys_are_not() {
    let document = r#" {"a": "x\n\u00e9\ud83d\ude00", "b" : ["\"", "\\", 1, true], "c\"":{"d":""}} "#;
    assert_eq!(seen(document), ["x\né😀", "\"", "\\", ""]);
}

#[test]
fn json_in_strings_is_gone_through() {
    let inner = serde_json::json!({"to": "Jane", "more": serde_json::json!({"by": "Jane D"}).to_string()})
        .to_string();
    let document = serde_json::json!({"arguments": inner, "n": 1}).to_string();
    assert_eq!(seen(&document), ["Jane", "Jane D"]);
    let new: serde_json::Value = serde_json::from_str(&changed(&document).unwrap()).unwrap();
    let inner: serde_json::Value = serde_json::from_str(new["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(inner["to"], "[\"P\"]");
    let deepest: serde_json::Value = serde_json::from_str(inner["more"].as_str().unwrap()).unwrap();
    assert_eq!(deepest["by"], "[\"P\"] D");
}

#[test]
fn what_is_not_replaced_keeps_its_bytes() {
    assert_eq!(
        changed(r#"{ "a":"\u0078","b": "Jane" , "c":"\/"}"#).unwrap(),
        r#"{ "a":"\u0078","b": "[\"P\"]" , "c":"\/"}"#
    );
    assert_eq!(changed(r#"{"Jane":"x"}"#), None);
    assert!(texts(b"\"x", &mut |_| Ok(None)).is_err());
}
