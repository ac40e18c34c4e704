//! `consentry scan`.

use std::fs;
use std::io::Write as _;

use serde_json::Value;

use super::{Ended, Place};

/// A rule of the tests' own, so that what is found does not change with the pack.
const RULES: &str = "\
version: 1
rules:
  - id: acme-token
    description: Acme token
    groups: [secrets]
    severity: 8
    action: redact
    keywords: [acmetok_]
    pattern: 'acmetok_[a-z0-9]{8}'
    right: word
    references: ['https://example.org/tokens']
  - id: ACME_BADGE
    description: Acme badge
    groups: [pii]
    severity: 5
    action: mask:2
    anchor: digits
    min_digits: 7
    pattern: '77[0-9]{5}'
    left: number
    right: number
";

pub(super) fn token() -> String {
    ["acme", "tok_", "a1b2c3d4"].concat()
}

pub(super) fn place() -> Place {
    let place = Place::new();
    place.write("rules.yaml", RULES);
    place
}

/// Scans with the rules of these tests.
pub(super) fn scan(place: &Place, arguments: &[&str], input: &str) -> Ended {
    let all: Vec<&str> = ["scan", "--rules", "rules.yaml"].iter().chain(arguments).copied().collect();
    place.run_with(&all, input.as_bytes())
}

#[test]
fn the_json_of_one_input_stays_what_it_is() {
    let place = place();
    let text = format!("nothing\nkey {}, badge 7712345\n", token());
    let wanted = r#"{"line":2,"start":12,"end":28,"rule":"acme-token","entity":"ACME_TOKEN","action":"redact"}
{"line":2,"start":36,"end":43,"rule":"ACME_BADGE","entity":"ACME_BADGE","action":"mask"}
"#;
    place.write("a.txt", &text);
    for ended in [
        scan(&place, &["--format", "json"], &text),
        scan(&place, &["--format", "json", "-"], &text),
        scan(&place, &["--format", "json", "a.txt"], ""),
        scan(&place, &["--format", "json", "--threads", "1", "a.txt"], ""),
        scan(&place, &["--format", "json", "--threads", "3", "a.txt"], ""),
    ] {
        assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (1, wanted, ""));
    }
}

#[test]
fn the_exit_status_says_whether_something_was_found() {
    let place = place();
    assert_eq!(scan(&place, &[], "nothing").code, 0);
    assert_eq!(scan(&place, &[], &token()).code, 1);
    let missing = scan(&place, &["missing.txt"], "");
    assert_eq!(missing.code, 2);
    assert!(missing.err.starts_with("consentry: missing.txt: "), "{}", missing.err);
    assert_eq!(scan(&place, &["--jsonl", "/a", "--column", "b"], "").code, 64);
    place.write("bad.yaml", RULES.replace("{8}", "+"));
    assert_eq!(place.run_with(&["scan", "--rules", "bad.yaml"], b"").code, 64);
}

#[test]
fn one_file_that_cannot_be_read_does_not_hide_the_others() {
    let place = place();
    place.write("a.txt", token());
    let ended = scan(&place, &["missing.txt", "a.txt"], "");
    assert_eq!(ended.code, 2);
    assert!(ended.out.starts_with("a.txt:1: acme-token (ACME_TOKEN) bytes 0-16, redact\n"), "{}", ended.out);
}

/// A folder with all that folders have.
fn folder() -> Place {
    let place = place();
    place.write("data/b.txt", format!("{}\n", token()));
    place.write("data/.env", format!("KEY={}\n", token()));
    place.write("data/.gitignore", "*.log\nbuild/\n");
    place.write("data/out.log", token());
    place.write("data/build/x.txt", token());
    place.write("data/deep/.gitignore", "!kept.log\n");
    place.write("data/deep/kept.log", token());
    place.write("data/.git/config", token());
    place.write("data/image.bin", [b"\x89PNG\0".as_slice(), token().as_bytes()].concat());
    place.write("data/clean.txt", "nothing");
    place
}

#[test]
fn folders_are_walked_as_git_sees_them() {
    let place = folder();
    let wanted = "\
data/.env:1: acme-token (ACME_TOKEN) bytes 4-20, redact
data/b.txt:1: acme-token (ACME_TOKEN) bytes 0-16, redact
data/deep/kept.log:1: acme-token (ACME_TOKEN) bytes 0-16, redact
";
    for threads in ["1", "4"] {
        let ended = scan(&place, &["--threads", threads, "data"], "");
        assert_eq!((ended.code, ended.out.as_str()), (1, wanted));
        let told = "consentry: 6 file(s) looked at, 1 binary passed over, 3 finding(s) in 3\n";
        assert_eq!(ended.err, told);
    }
    let all = scan(&place, &["--no-ignore", "data"], "");
    let files: Vec<&str> = all.out.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(files, ["data/.env", "data/b.txt", "data/build/x.txt", "data/deep/kept.log", "data/out.log"]);
    // What is named by itself is looked at whatever it is.
    let named = scan(&place, &["data/out.log", "data/image.bin"], "");
    assert_eq!(named.out.lines().count(), 2, "{}", named.out);
}

#[test]
fn findings_in_folders_say_their_file() {
    let place = folder();
    let ended = scan(&place, &["--format", "json", "data/deep"], "");
    let wanted = r#"{"line":1,"start":0,"end":16,"rule":"acme-token","entity":"ACME_TOKEN","action":"redact","file":"data/deep/kept.log"}"#;
    assert_eq!(ended.out.trim_end(), wanted);
}

#[test]
fn many_files_and_a_long_one_come_in_order() {
    let place = place();
    for number in 0..40 {
        place.write(&format!("many/{number:02}.txt"), format!("{}\n", token()));
    }
    let long: String = (0..120_000).map(|n| format!("line {n} has nothing in it but words\n")).collect();
    place.write("many/long.txt", format!("{}\n{long}{}\n", token(), token()));
    let one = scan(&place, &["--format", "json", "--threads", "1", "many"], "");
    let many = scan(&place, &["--format", "json", "--threads", "5", "many"], "");
    assert_eq!(one.out.lines().count(), 42);
    assert_eq!(one.out, many.out);
    let files: Vec<Value> = one.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(files[41]["line"], 120_002);
}

#[test]
fn the_table_counts() {
    let place = folder();
    place.write("data/b.txt", format!("{} 7712345 {}", token(), token()));
    let ended = scan(&place, &["--format", "table", "data/b.txt"], "");
    let wanted = "\
RULE                             ENTITY                       ACTION        LINE               BYTES  WHERE
acme-token                       ACME_TOKEN                   redact           1                0-16  data/b.txt
ACME_BADGE                       ACME_BADGE                   mask:2           1               17-24  data/b.txt
acme-token                       ACME_TOKEN                   redact           1               25-41  data/b.txt

       2  acme-token
       1  ACME_BADGE
       3  in all
";
    assert_eq!(ended.out, wanted);
    assert_eq!(ended.err, "consentry: 1 file(s) looked at, 3 finding(s) in 1\n");
}

/// What the schema of SARIF 2.1.0 demands of the parts that are written.
fn check_sarif(sarif: &Value) {
    assert_eq!(sarif["version"], "2.1.0");
    assert!(sarif["$schema"].as_str().unwrap().ends_with("sarif-2.1.0.json"));
    let runs = sarif["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1);
    let run = &runs[0];
    let driver = &run["tool"]["driver"];
    assert!(!driver["name"].as_str().unwrap().is_empty());
    let known = ["tool", "results", "invocations", "columnKind"];
    assert!(run.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())), "{run}");
    let rules: Vec<&str> =
        driver["rules"].as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    for rule in driver["rules"].as_array().unwrap() {
        assert!(
            rule["shortDescription"]["text"].is_string() && rule["properties"]["tags"].is_array(),
            "{rule}"
        );
    }
    for result in run["results"].as_array().unwrap() {
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        assert!(["none", "note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
        assert!(rules.contains(&result["ruleId"].as_str().unwrap()));
        let location = &result["locations"][0]["physicalLocation"];
        let uri = location["artifactLocation"]["uri"].as_str().unwrap();
        assert!(!uri.contains([' ', '\\']), "{uri}");
        let region = &location["region"];
        assert!(region["startLine"].as_u64().unwrap() >= 1);
        if let Some(offset) = region.get("byteOffset") {
            assert!(offset.as_u64().is_some() && region["byteLength"].as_u64().unwrap() > 0);
        }
    }
    assert!(run["invocations"][0]["executionSuccessful"].is_boolean());
}

#[test]
fn sarif_is_what_its_schema_says() {
    let place = place();
    place.write("my data/ü.txt", format!("\n{} 7712345", token()));
    place.write("my data/again.txt", token());
    let ended = scan(&place, &["--format", "sarif", "my data"], "");
    assert_eq!(ended.code, 1);
    let sarif: Value = serde_json::from_str(&ended.out).unwrap();
    check_sarif(&sarif);
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    let location = &results[1]["locations"][0]["physicalLocation"];
    assert_eq!(location["artifactLocation"]["uri"], "my%20data/%C3%BC.txt");
    assert_eq!(location["region"], serde_json::json!({"startLine": 2, "byteOffset": 1, "byteLength": 16}));
    assert_eq!(
        (&results[1]["level"], &results[2]["level"]),
        (&Value::from("error"), &Value::from("warning"))
    );
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 2);
    assert_eq!(rules[1]["helpUri"], "https://example.org/tokens");
    let value = token();
    assert!(!ended.out.contains(&value[8..]), "{}", ended.out);
    // Nothing found, and something that could not be read.
    let none = scan(&place, &["--format", "sarif", "missing.txt"], "");
    let sarif: Value = serde_json::from_str(&none.out).unwrap();
    check_sarif(&sarif);
    assert_eq!(none.code, 2);
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 0);
    assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], false);
}

pub(super) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn packed_files_are_read_by_name() {
    let place = place();
    let long: String = (0..60_000).map(|n| format!("line {n}\n")).collect();
    let text = format!("{long}{}\n", token());
    place.write("p/a.txt.gz", gzip(text.as_bytes()));
    place.write("p/b.log.zst", zstd::encode_all(text.as_bytes(), 1).unwrap());
    let ended = scan(&place, &["p"], "");
    let offset = long.len();
    let wanted = format!(
        "p/a.txt.gz:60001: acme-token (ACME_TOKEN) bytes {offset}-{0}, redact\np/b.log.zst:60001: acme-token (ACME_TOKEN) bytes {offset}-{0}, redact\n",
        offset + 16
    );
    assert_eq!((ended.code, ended.out), (1, wanted));
    let whole = gzip(text.as_bytes());
    place.write("cut.txt.gz", &whole[..whole.len() - 9]);
    place.write("no.zst", "plain");
    let broken = scan(&place, &["cut.txt.gz", "no.zst"], "");
    assert_eq!(broken.code, 2);
    assert_eq!(broken.err.matches("can't be unpacked").count(), 2, "{}", broken.err);
}

#[test]
fn strings_of_records_have_offsets_of_their_own() {
    let place = place();
    let text = format!(
        "{{\"t\": \"\\u00e4\\n{}\", \"other\": \"{}\"}}\n\n{{\"t\": [\"x\", \"{}\"]}}\n",
        token(),
        token(),
        token()
    );
    let ended = scan(&place, &["--format", "json", "--jsonl", "/t"], &text);
    let wanted =
        r#"{"line":1,"start":3,"end":19,"rule":"acme-token","entity":"ACME_TOKEN","action":"redact"}"#;
    assert_eq!((ended.code, ended.out.trim_end()), (1, wanted));
    let ended = scan(&place, &["--format", "json", "--jsonl", "/t/*"], &text);
    let wanted = r#"{"line":3,"start":0,"end":16,"rule":"acme-token","entity":"ACME_TOKEN","action":"redact","pointer":"/t/1"}"#;
    assert_eq!((ended.code, ended.out.trim_end()), (1, wanted));
    let broken = scan(&place, &["--jsonl", "/t"], "{\"t\": \"x\"}\n{\"t\": x}\n");
    assert_eq!(
        (broken.code, broken.err.as_str()),
        (2, "consentry: (standard input): line 2 is not JSON (column 7)\n")
    );
    // A key that stands twice is read by some as the first, by others as the last.
    let twice = format!("{{\"t\": \"{}\", \"t\": \"clean\"}}", token());
    assert_eq!(scan(&place, &["--jsonl", "/t"], &twice).code, 1);
    let deep = format!("{}{}", "[".repeat(3000), "]".repeat(3000));
    assert!(scan(&place, &["--jsonl", "/**/t"], &deep).err.contains("line 1 is nested too deep"));
}

#[test]
fn a_file_of_something_else_is_told_once() {
    let place = place();
    place.write("a.txt", format!("{}\n", "no record\n".repeat(700_000)));
    place.write("b.jsonl", format!("{{\"t\": \"{}\"}}\n", token()));
    for threads in ["1", "3"] {
        let ended = scan(&place, &["--threads", threads, "--jsonl", "/t", "a.txt", "b.jsonl"], "");
        assert_eq!(ended.code, 2);
        assert_eq!(ended.err.matches("a.txt: line 1 is not JSON").count(), 1, "{}", ended.err);
        assert_eq!(ended.err.matches("is not JSON").count(), 1, "{}", ended.err);
        assert_eq!(ended.out, "b.jsonl:1: acme-token (ACME_TOKEN) bytes 0-16, redact\n");
    }
}

#[test]
fn columns_are_read_by_name() {
    let place = place();
    let text = format!(
        "\u{feff}id,note,more\r\n1,\"a \"\"b\"\"\n{}\",{}\r\n2,clean,7712345\r\n3,7754321,\r\n",
        token(),
        token()
    );
    place.write("a.csv", &text);
    let ended = scan(&place, &["--format", "json", "--column", "note", "a.csv"], "");
    let wanted = r#"{"line":2,"start":6,"end":22,"rule":"acme-token","entity":"ACME_TOKEN","action":"redact","column":"note"}
{"line":5,"start":0,"end":7,"rule":"ACME_BADGE","entity":"ACME_BADGE","action":"mask","column":"note"}
"#;
    assert_eq!((ended.code, ended.out.as_str()), (1, wanted));
    let both = scan(&place, &["--column", "more", "--column", "note", "a.csv"], "");
    assert_eq!(both.out.lines().count(), 4, "{}", both.out);
    place.write("a.tsv.gz", gzip(format!("id\tnote\n1\t{}, yes\n", token()).as_bytes()));
    assert_eq!(scan(&place, &["--column", "note", "a.tsv.gz"], "").code, 1);
    let unknown = scan(&place, &["--column", "nott", "a.csv"], "");
    assert_eq!(unknown.code, 2);
    assert!(
        unknown.err.contains("there is no column `nott`; the first line names `id`, `note`, `more`"),
        "{}",
        unknown.err
    );
}

#[test]
fn a_columns_name_is_context() {
    let place = place();
    place.write("a.csv", "name,password\nann,hunter2zz\n");
    let ended = scan(&place, &["--column", "password", "a.csv"], "");
    assert!(ended.code == 1 && ended.out.contains("password-field"), "{ended:?}");
}

#[test]
fn fix_writes_a_censored_copy_and_overwrites_nothing() {
    let place = place();
    let text = format!("first\r\nkey {} and 7712345\n\u{e4} end", token());
    place.write("d/notes.txt", &text);
    place.write("d/README", token());
    place.write("d/clean.txt", "nothing");
    let ended = scan(&place, &["--fix", "d"], "");
    assert_eq!(ended.code, 1);
    let told = "\
consentry: d/README: written to d/README.censored
consentry: d/notes.txt: written to d/notes.censored.txt
consentry: 3 file(s) looked at, 3 finding(s) in 2
";
    assert_eq!(ended.err, told);
    assert_eq!(place.read("d/notes.censored.txt"), "first\r\nkey [ACME_TOKEN] and *****45\n\u{e4} end");
    assert_eq!(place.read("d/README.censored"), "[ACME_TOKEN]");
    assert_eq!(place.read("d/notes.txt"), text);
    assert!(!place.path("d/clean.censored.txt").exists());
    place.write("d/notes.censored.txt", "mine");
    let again = scan(&place, &["--fix", "d/notes.txt"], "");
    assert_eq!((again.code, place.read("d/notes.censored.txt").as_str()), (2, "mine"));
    assert!(again.err.contains("d/notes.censored.txt: File exists"), "{}", again.err);
    let forced = scan(&place, &["--fix", "--force", "d/notes.txt"], "");
    assert_eq!(forced.code, 1, "{}", forced.err);
    assert!(place.read("d/notes.censored.txt").contains("[ACME_TOKEN]"));
    assert_eq!(scan(&place, &["--fix"], "x").code, 64);
    assert_eq!(scan(&place, &["--force", "d"], "").code, 64);
}

#[test]
fn a_fixed_file_of_several_pieces_is_whole() {
    let place = place();
    let filler = "nothing to see in this line of words\n".repeat(1200);
    let text: String = (0..150).map(|n| format!("{n} {}\n{filler}", token())).collect();
    assert!(text.len() > 6 << 20);
    place.write("a.txt", &text);
    assert_eq!(scan(&place, &["--fix", "a.txt"], "").code, 1);
    assert!(place.read("a.censored.txt") == text.replace(&token(), "[ACME_TOKEN]"));
}

#[test]
fn what_was_valid_stays_valid_in_a_copy() {
    let place = place();
    let object =
        format!("{{\"n\": \"7712345\", \"s\": \"\\u0061{} \\\"q\\\"\", \"f\": 1.00}}", &token()[1..]);
    place.write("a.json", &object);
    place.write("b.jsonl", format!("{{\"x\":  1.0}}\n{object}\n"));
    let ended = scan(&place, &["--fix", "a.json", "b.jsonl"], "");
    assert_eq!(ended.code, 1, "{}", ended.err);
    let copy: Value = serde_json::from_str(&place.read("a.censored.json")).unwrap();
    assert_eq!(copy["n"], "*****45");
    assert_eq!(copy["s"], "[ACME_TOKEN] \"q\"");
    let lines = place.read("b.censored.jsonl");
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines[0], "{\"x\":  1.0}");
    assert_eq!(serde_json::from_str::<Value>(lines[1]).unwrap(), copy);
}

#[test]
fn nothing_that_was_found_is_left_in_a_copy() {
    let place = place();
    place.write("a.json", "{\"n\": 7712345}");
    let ended = scan(&place, &["--fix", "a.json"], "");
    // As long as numbers pass as they are, there is no copy.
    let copied = place.path("a.censored.json").exists();
    assert_eq!(ended.code, if copied { 1 } else { 2 }, "{}", ended.err);
    assert!(!copied || !place.read("a.censored.json").contains("77123"));
}

#[test]
fn a_copy_of_records_changes_what_was_found_and_no_other_byte() {
    let place = place();
    let line = |text: &str| {
        format!("{{\"big\": 12345678901234567890123, \"a\" : [1.0, {text}],\"e\":\"\\u00e9{}\"}}", token())
    };
    let input = format!(
        "\u{feff}{}\n\n{}\r\n{}",
        line("\"x\""),
        line(&format!("\"\\t{} \\/\"", token())),
        line("\"y\"")
    );
    place.write("a.jsonl", &input);
    assert_eq!(scan(&place, &["--fix", "--jsonl", "/a/*", "a.jsonl"], "").code, 1);
    let wanted =
        format!("\u{feff}{}\n\n{}\r\n{}", line("\"x\""), line("\"\\t[ACME_TOKEN] /\""), line("\"y\""));
    assert_eq!(place.read("a.censored.jsonl"), wanted);
}

#[test]
fn a_copy_of_a_table_changes_cells_that_held_something() {
    let place = place();
    let input = format!(
        "id,\"note\"\r\n\"1\",\"clean, \"\"really\"\"\"\r\n2,\"see {0}, \"\"there\"\"\"\r\n\r\n3,{0}\r\n{0},4",
        token()
    );
    place.write("a.csv.gz", gzip(input.as_bytes()));
    assert_eq!(scan(&place, &["--fix", "--column", "note", "a.csv.gz"], "").code, 1);
    let packed = fs::read(place.path("a.censored.csv.gz")).unwrap();
    assert_eq!(packed[..2], [0x1f, 0x8b]);
    place.write("b.gz", packed);
    // Unpacked by the program itself: with everything read, nothing but the other column's is found.
    let left = scan(&place, &["--format", "json", "b.gz"], "");
    assert_eq!(left.out.lines().count(), 1, "{}", left.out);
    place.write("a.csv", &input);
    assert_eq!(scan(&place, &["--fix", "--column", "note", "a.csv"], "").code, 1);
    let wanted = format!(
        "id,\"note\"\r\n\"1\",\"clean, \"\"really\"\"\"\r\n2,\"see [ACME_TOKEN], \"\"there\"\"\"\r\n\r\n3,[ACME_TOKEN]\r\n{},4",
        token()
    );
    assert_eq!(place.read("a.censored.csv"), wanted);
}

#[test]
fn a_copy_that_fails_is_not_left_behind() {
    let place = place();
    place.write("a.json", format!("{{\"a\": \"{}\"", token()));
    let ended = scan(&place, &["--fix", "a.json"], "");
    assert_eq!(ended.code, 2, "{}", ended.err);
    assert!(
        ended.err.contains("a.json: content_truncated") || ended.err.contains("a.json: content_malformed"),
        "{}",
        ended.err
    );
    assert!(!place.path("a.censored.json").exists());
}

#[test]
fn markup_is_read_as_it_shows_and_told_where_it_stands() {
    let place = place();
    let token = token();
    let spelt: String = token.bytes().map(|byte| format!("&#{byte};")).collect();
    let found = |ended: &Ended| -> Vec<String> {
        let lines = ended.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.map(|hit| format!("{}:{}-{}", hit["line"], hit["start"], hit["end"])).collect()
    };
    let at = |text: &str, what: &str, from: usize| {
        let start = from + text[from..].find(what).unwrap();
        format!("{}:{start}-{}", 1 + text[..start].matches('\n').count(), start + what.len())
    };
    let split = format!("{}<b>{}</b>", &token[..9], &token[9..]);
    let xml = format!("<?xml version=\"1.0\"?>\n<a>\n<b c='{spelt}'/>\n<!-- {token} -->\nuse {spelt}.</a>\n");
    let html = format!("<p title={token}>\n{split}<script>x='{token}'</script>");
    let lone = split.strip_suffix("</b>").unwrap();
    let wanted_xml = [at(&xml, &spelt, 0), at(&xml, &token, 0), at(&xml, &spelt, xml.find("use").unwrap())];
    let wanted_html =
        [at(&html, &token, 0), at(&html, lone, 0), at(&html, &token, html.find("<script").unwrap())];
    for (name, text, wanted) in [
        ("a.xml", &xml, &wanted_xml),
        ("a.SVG", &xml, &wanted_xml),
        ("a.html", &html, &wanted_html),
        ("a.htm", &html, &wanted_html),
        // XML that is none is read as HTML is.
        ("broken.xml", &html, &wanted_html),
    ] {
        place.write(name, text);
        let ended = scan(&place, &["--format", "json", name], "");
        assert_eq!((ended.code, found(&ended)), (1, wanted.to_vec()), "{name}: {}{}", ended.out, ended.err);
    }
    place.write("a.html.gz", gzip(html.as_bytes()));
    assert_eq!(found(&scan(&place, &["--format", "json", "a.html.gz"], "")), wanted_html);
    let ended = scan(&place, &["--fix", "a.xml", "broken.xml"], "");
    assert_eq!(ended.code, 1, "{}", ended.err);
    let copy = |name: &str| place.read(name);
    let hidden = "[ACME_TOKEN]";
    assert_eq!(copy("a.censored.xml"), xml.replace(&spelt, hidden).replace(&token, hidden));
    assert_eq!(
        copy("broken.censored.xml"),
        html.replace(&split, &format!("{hidden}<b></b>")).replace(&token, hidden)
    );
}

/// Whoever writes a record names its fields: no name writes a line of its own, or speaks to the terminal.
#[test]
fn a_fields_name_stays_in_its_line() {
    let place = place();
    place.write("a.jsonl", format!("{{\"x\\n1: y\\u001b[2J\":\"key {}\"}}\n", token()));
    for format in ["text", "table"] {
        let ended = scan(&place, &["--format", format, "--jsonl", "/*", "a.jsonl"], "");
        assert_eq!(ended.code, 1, "{}", ended.err);
        assert!(ended.out.contains("y") && !ended.out.contains('\u{1b}'), "{:?}", ended.out);
        let lines = ended.out.lines().filter(|line| line.contains("y\\u{1b}[2J")).count();
        assert_eq!(lines, 1, "{:?}", ended.out);
    }
}
