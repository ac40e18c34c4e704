//! `consentry notice`.

use serde_json::Value;

use super::Place;

const MAIN: &str = "\
listeners:
  data: {address: 127.0.0.1:0, tls: {development: {}}}
  metrics: {address: 127.0.0.1:0}
upstreams: {own: {url: https://api.example}}
routes: [{name: own, upstream: own, api: openai}]
";

fn place(notice: &str) -> Place {
    let place = Place::new();
    let key = data_encoding::BASE64.encode(&[7; 32]);
    place.write("config/key", key);
    place.write("config/consentry.yaml", format!("{MAIN}master_key: file:key\n{notice}"));
    place.write("config/tenants/acme.yaml", "tenant: acme\npolicy: wosom\n");
    place.write(
        "config/tenants/open.yaml",
        "tenant: open\nconsent: {grants: [{purpose: train, scope: tenant}]}\n",
    );
    place
}

/// T6: the notice is that of the platform, in each form; without a platform there is none.
#[test]
fn t6_the_notice_has_the_platforms_name_contact_and_site() {
    let named = "notice: {platform: Cats, contact: privacy@cats.example, site: https://cats.example}\n";
    let place_of = place(
        "notice: {platform: 'Cats <&> Co', contact: privacy@cats.example, site: https://cats.example}\n",
    );
    let text = place_of.run(&["notice"]);
    assert_eq!((text.code, text.err.as_str()), (0, ""));
    assert!(text.out.starts_with("# Privacy notice of Cats <&> Co\n"), "{}", text.out);
    assert!(text.out.ends_with("Cats <&> Co (https://cats.example): privacy@cats.example\n"), "{}", text.out);
    let page = place_of.run(&["notice", "--format", "html"]).out;
    assert!(
        page.contains("<h1>Privacy notice of Cats &lt;&amp;&gt; Co</h1>") && !page.contains("<&>"),
        "{page}"
    );
    let told = |arguments: &[&str]| -> Value {
        serde_json::from_str(&place_of.run(&[&["notice", "--format", "json"], arguments].concat()).out)
            .unwrap()
    };
    let ids = |told: &Value| -> Vec<String> {
        told["statements"].as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap().to_owned()).collect()
    };
    let (all, acme) = (told(&[]), told(&["--tenant", "acme"]));
    assert_eq!((&all["platform"], &all["tenant"]), (&"Cats <&> Co".into(), &Value::Null));
    // What holds for one tenant only is not said to all.
    assert!(ids(&acme).contains(&"no_training".to_owned()) && !ids(&all).contains(&"no_training".to_owned()));
    assert!(ids(&all).contains(&"training_granted".to_owned()));
    for id in ids(&acme) {
        let words = acme["statements"].as_array().unwrap().iter().find(|s| s["id"] == *id).unwrap();
        let text = place_of.run(&["notice", "--tenant", "acme"]).out;
        assert!(text.contains(words["words"].as_str().unwrap()), "{id}: {text}");
    }
    assert_eq!(place_of.run(&["notice", "--tenant", "nobody"]).code, 64);
    let without = place("").run(&["notice"]);
    assert!(without.code == 64 && without.err.contains("`notice: {platform"), "{}", without.err);
    let wrong = place(&named.replace("https", "http")).run(&["notice"]);
    assert!(wrong.code != 0 && wrong.err.contains("the platform's site is an `https` URL"), "{}", wrong.err);
}
