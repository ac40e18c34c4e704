use super::*;

fn openai() -> Catalog {
    Catalog::builtin("openai").unwrap_or_else(|errors| panic!("{errors:#?}"))
}

fn errors(text: &str) -> Vec<String> {
    match Samples::parse(&openai(), "openai.yaml", text) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.into_iter().map(|error| error.to_string()).collect(),
    }
}

#[test]
fn the_samples_that_come_with_the_gateway_are_right() {
    let folder = tempfile::tempdir().unwrap();
    let samples = Samples::of(&openai(), folder.path()).unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert!(samples.operation(&OperationId::new("createFile")).len() > 3);
}

#[test]
fn the_operators_own_samples_take_their_place() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("conformance")).unwrap();
    std::fs::write(folder.path().join("conformance/openai.yaml"), "profile: openai\n").unwrap();
    let samples = Samples::of(&openai(), folder.path()).unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert!(samples.operation(&OperationId::new("createFile")).is_empty());
}

#[test]
fn what_names_nothing_is_refused() {
    let wrong = errors("profile: other\n");
    assert!(wrong[0].contains("it is for profile `other`"), "{wrong:?}");
    let wrong = errors("profile: openai\noperations: {createFiles: [{json: {}}]}\n");
    assert!(wrong[0].contains("did you mean `createFile`?"), "{wrong:?}");
    let wrong = errors("profile: openai\noperations: {createBatch: [{json: {input_file_id: $(fil)}}]}\n");
    assert!(wrong[0].contains("no kind `fil`"), "{wrong:?}");
    let wrong = errors("profile: openai\nwaits: {list-users: [file]}\n");
    assert!(wrong[0].contains("serves no operation `list-users`"), "{wrong:?}");
    let wrong = errors("profile: openai\noperations: {createBatch: [{jsn: {}}]}\n");
    assert!(wrong[0].contains("did you mean `json`?"), "{wrong:?}");
}

#[test]
fn marks_are_filled_where_they_stand() {
    let text = "profile: openai
operations:
  createFile:
    - form: {purpose: batch}
      files: {file: {name: x, text: 'a $(model) b $(file:notes)'}}
    - json: {a: [{b/c: $(file)}], d: plain}
";
    let samples =
        Samples::parse(&openai(), "openai.yaml", text).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let [form, json] = samples.operation(&OperationId::new("createFile")) else { panic!() };
    let marks = form.marks();
    assert_eq!(marks[0].kind.as_str(), "model");
    assert_eq!(marks[1].made_as.as_deref(), Some("notes"));
    let filled = form.filled(&mut |mark| Some(format!("<{}>", mark.kind))).unwrap();
    assert_eq!(filled.files["file"].text, "a <model> b <file>");
    assert_eq!(json.marks()[0].place, "/a/0/b~1c");
    let lacking = json.filled(&mut |_| None).unwrap_err();
    assert_eq!(lacking.kind.as_str(), "file");
}
