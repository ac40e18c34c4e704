use crate::catalog::{BodyShape, Catalog, FieldContent, Operation, Paging, Place};
use crate::names::OperationId;
use crate::openapi::{Document, Draft, draft};
use crate::reason::Reason;

/// An API of a print shop, written for this test.
const SHOP: &str = include_str!("shop.yaml");

fn drafted(text: &str) -> (Draft, Catalog) {
    let document = Document::parse("shop.yaml", text).unwrap_or_else(|error| panic!("{error}"));
    let draft = draft(&document, "shop");
    let catalog =
        Catalog::parse("draft.yaml", &draft.yaml).unwrap_or_else(|e| panic!("{e:#?}\n{}", draft.yaml));
    (draft, catalog)
}

fn operation<'c>(catalog: &'c Catalog, id: &str) -> &'c Operation {
    catalog.operation(&OperationId::new(id)).unwrap_or_else(|| panic!("no operation {id}"))
}

/// The uses of an operation, as `kind place`.
fn uses(operation: &Operation) -> Vec<String> {
    let spelt = |place: &Place| match place {
        Place::Path(name) => format!("path {name}"),
        Place::Query(name) => format!("query {name}"),
        Place::Form(name) => format!("form {name}"),
        Place::Header(name) => format!("header {name}"),
        Place::Json(pointer) => pointer.to_string(),
    };
    let mut all: Vec<String> =
        operation.uses.iter().map(|u| format!("{} {}", u.kind, spelt(&u.place))).collect();
    all.sort();
    all
}

#[test]
fn ids_are_found_wherever_they_stand() {
    let (_, catalog) = drafted(SHOP);
    let wanted: [(&str, &[&str]); 8] = [
        ("uploadFile", &["album form album_id"]),
        ("listFiles", &["file query after"]),
        ("getFile", &["file path file_id"]),
        // A schema that contains itself is told with `**`.
        (
            "createAlbum",
            &[
                "file /**/file_id",
                "file /**/cover_file",
                "file /**/coverFileIds/*",
                "file /**/source/file_id",
            ],
        ),
        ("getAlbum", &["album path id", "file query file_id", "session header session-id"]),
        ("put_v2_albums_id_side", &["album path id", "file /file"]),
        ("train", &["file /file_id"]),
        ("caption", &["file /file_id"]),
    ];
    for (id, places) in wanted {
        let mut places = places.to_vec();
        places.sort_unstable();
        assert_eq!(uses(operation(&catalog, id)), places, "{id}");
    }
    assert!(operation(&catalog, "train").uses.iter().any(|used| used.required));
}

#[test]
fn what_is_made_listed_and_ended_is_told() {
    let (_, catalog) = drafted(SHOP);
    let made = &operation(&catalog, "uploadFile").creates[0];
    assert_eq!((made.kind.as_str(), made.at.to_string().as_str()), ("file", "/id"));
    assert_eq!(made.undo.as_ref().unwrap().operation.as_str(), "deleteFile");
    let made = &operation(&catalog, "createAlbum").creates[0];
    assert_eq!((made.kind.as_str(), made.at.to_string().as_str()), ("album", "/album/id"));
    assert_eq!(made.undo.as_ref().unwrap().operation.as_str(), "deleteAlbum");
    assert_eq!(operation(&catalog, "deleteFile").ends, Some(0));
    let listed = operation(&catalog, "listFiles");
    let list = listed.list.as_ref().unwrap();
    assert_eq!(
        (list.kind.as_str(), list.items.to_string().as_str(), list.id.to_string().as_str()),
        ("file", "/data", "/id")
    );
    let (after, before) = ("after".into(), "before".into());
    assert_eq!(
        list.paging,
        Paging::Cursor { after, before, ends: true, oldest_first: false, default: 25, max: 50 }
    );
    assert_eq!(listed.query.iter().map(|name| &**name).collect::<Vec<_>>(), ["colour"]);
    // How many there are in all is the account's.
    assert_eq!(listed.response_edits[0].at.to_string(), "/total");
}

#[test]
fn bodies_are_what_the_specification_says() {
    let (_, catalog) = drafted(SHOP);
    let BodyShape::Multipart(fields) = &operation(&catalog, "uploadFile").request else { panic!("no form") };
    let fields: Vec<_> = fields.iter().map(|field| (&*field.name, &field.content, field.required)).collect();
    assert_eq!(
        fields,
        [
            ("album_id", &FieldContent::Deciding, false),
            ("file", &FieldContent::File, true),
            ("purpose", &FieldContent::Deciding, true)
        ]
    );
    let caption = operation(&catalog, "caption");
    assert_eq!((&caption.request, &caption.response), (&BodyShape::Json, &BodyShape::JsonOrEvents));
    assert!(caption.stream.is_some() && !caption.store.as_ref().unwrap().default);
    assert_eq!(operation(&catalog, "downloadFile").response, BodyShape::File);
    assert_eq!(operation(&catalog, "deleteFile").response, BodyShape::None);
}

#[test]
fn purposes_and_addresses_have_to_be_granted() {
    let (_, catalog) = drafted(SHOP);
    let needs = |id: &str| {
        let needs = operation(&catalog, id).training.iter();
        needs.map(|need| (need.purpose.as_str(), need.when.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(needs("uploadFile"), [("train", true)]);
    assert_eq!(needs("train"), [("train", false)]);
    assert_eq!(needs("createAlbum"), [("share", true)]);
    // An id of its own that the caller chooses is refused.
    assert_eq!(operation(&catalog, "caption").refuses.len(), 1);
}

#[test]
fn what_can_t_be_judged_is_refused() {
    let (draft, catalog) = drafted(SHOP);
    let refused = |id: &str| operation(&catalog, id).refused;
    for (id, reason) in [
        ("getUser", Reason::OperationRefused),
        ("weather", Reason::OperationRefused),
        ("reset", Reason::OperationRefused),
        // What may name something, and need not, is everybody's when it names nothing.
        ("graphql", Reason::OperationRefused),
        ("search", Reason::OperationRefused),
        ("stats", Reason::OperationRefused),
        ("wipe", Reason::OperationRefused),
        ("listAlbums", Reason::OperationRefused),
        ("openDoor", Reason::BypassRefused),
        ("live", Reason::UpgradeRefused),
    ] {
        assert_eq!(refused(id), Some(reason), "{id}");
    }
    let one = operation(&catalog, "statsOfOne");
    assert!(one.refused.is_none() && one.uses.iter().all(|used| used.required));
    // The places that were found are not lost.
    assert!(draft.yaml.contains("\n        #      - {kind: file, query: file_id}\n"), "{}", draft.yaml);
    // What no profile can say is told, and leaves the rest whole.
    assert!(
        draft.yaml.contains("# decide: GET /v2/a/{one}-{two} (pair) can't stand here: "),
        "{}",
        draft.yaml
    );
    assert_eq!((draft.served, draft.refused, draft.left_out), (12, 10, 1));
    assert_eq!(draft.decisions, draft.yaml.matches("# decide: ").count());
}

#[test]
fn ids_look_as_the_specification_says() {
    let (draft, catalog) = drafted(SHOP);
    let kind = |name: &str| catalog.kinds().find(|kind| kind.kind().as_str() == name).unwrap();
    assert!(kind("album").numeric());
    assert!(draft.yaml.contains("owned: ['[0-9a-f]{8}-"), "{}", draft.yaml);
    // Nothing makes a session, so nobody owns one.
    let session = draft.yaml.split("  session:\n").nth(1).unwrap();
    assert!(session.lines().take(4).any(|line| line.trim() == "adopted: true"), "{session}");
}

#[test]
fn json_is_read_as_well_and_other_files_are_refused() {
    let json = r#"{"openapi": "3.0.3", "info": {}, "paths": {"/x/{x_id}": {"get": {"responses": {}}}}}"#;
    let (draft, _) = drafted(json);
    assert_eq!(draft.served, 1);
    for (text, why) in [
        ("{", "not JSON"),
        ("a: [", "not YAML"),
        ("swagger: '2.0'\npaths: {}", "no OpenAPI file"),
        ("openapi: 4.0.0\npaths: {}", "OpenAPI 4.0.0 is not read"),
        ("openapi: 3.1.0\npaths: {}", "describes no paths"),
    ] {
        let error = Document::parse("x.yaml", text).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

/// References that lead in circles, and schemas that grow without end, are left at a bound and told.
#[test]
fn hostile_files_end() {
    let circle = "openapi: 3.1.0\npaths: {'/x/{x_id}/y': {post: {requestBody: {content: {application/json: {schema: {$ref: '#/a'}}}}, responses: {'200': {content: {application/json: {}}}}}}}\na: {$ref: '#/b'}\nb: {$ref: '#/a'}\n";
    let (draft, _) = drafted(circle);
    assert!(draft.yaml.contains("not all of the body's schema could be followed"), "{}", draft.yaml);
    let mut wide = String::from(
        "openapi: 3.1.0\npaths: {'/x/{x_id}/y': {post: {requestBody: {content: {application/json: {schema: {$ref: '#/s/l0'}}}}, responses: {'200': {content: {application/json: {}}}}}}}\ns:\n",
    );
    for level in 0..20 {
        let next = level + 1;
        wide.push_str(&format!("  l{level}: {{type: object, properties: {{a_id: {{type: string}}, x: {{$ref: '#/s/l{next}'}}, y: {{$ref: '#/s/l{next}'}}}}}}\n"));
    }
    wide.push_str("  l20: {type: string}\n");
    let (draft, _) = drafted(&wide);
    assert!(draft.yaml.contains("not all of the body's schema could be followed"));
    // One place for all that are called so.
    assert!(draft.yaml.contains("- \"/**/a_id\""), "{}", draft.yaml);
}
