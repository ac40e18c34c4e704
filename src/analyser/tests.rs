use super::*;

fn spans(answer: &str, text: &str) -> Option<Vec<(usize, usize, usize)>> {
    let spans = read(answer.as_bytes(), text, &["PERSON", "LOCATION"])?;
    Some(spans.into_iter().map(|span| (span.entity, span.start, span.end)).collect())
}

#[test]
fn places_are_code_points() {
    let text = "é😀 Jane in Köln";
    let answer = r#"[{"entity_type":"LOCATION","start":11,"end":15,"score":0.85,"analysis_explanation":null},
        {"entity_type":"PERSON","start":3,"end":7,"score":1.0},{"entity_type":"DATE_TIME","start":0,"end":1,"score":1}]"#;
    assert_eq!(spans(answer, text), Some(vec![(0, 7, 11), (1, 15, 20)]));
    assert_eq!(&text[7..11], "Jane");
    assert_eq!(&text[15..20], "Köln");
    assert_eq!(spans("[]", text), Some(Vec::new()));
}

#[test]
fn an_answer_that_is_not_about_the_text_is_none() {
    let found = |start: i64, end: i64| {
        format!(r#"[{{"entity_type":"PERSON","start":{start},"end":{end},"score":1}}]"#)
    };
    for (start, end) in [(0, 0), (2, 1), (0, 5), (4, 5), (-1, 2), (0, i64::MAX)] {
        assert_eq!(spans(&found(start, end), "Jane"), None, "{start} {end}");
    }
    assert!(spans(&found(0, 4), "Jane").is_some());
    for answer in
        ["", "{}", "null", "[1]", "[{\"entity_type\":\"PERSON\"}]", "[", "{\"error\":\"No text provided\"}"]
    {
        assert_eq!(spans(answer, "Jane"), None, "{answer}");
    }
    // Of an entity that was not asked for, too.
    assert_eq!(spans(r#"[{"entity_type":"X","start":9,"end":10,"score":1}]"#, "Jane"), None);
}

/// Questions that come too fast are refused, and what was refused has used up nothing of what comes later.
#[test]
fn a_question_that_is_not_put_takes_no_turn() {
    let settings = Settings {
        name: "second".to_owned(),
        region: None,
        url: "http://127.0.0.1:1/analyze".parse().unwrap(),
        ca: None,
        credential: None,
        language: "en".to_owned(),
        score: None,
        timeout: Duration::from_millis(500),
        concurrency: 1,
        rate: 1,
        question: 100,
        body: 100,
    };
    let client = Client::new(settings).unwrap();
    let now = Instant::now();
    let soon = now + Duration::from_millis(500);
    assert_eq!((0..100).filter(|_| client.turn(soon).is_some()).count(), 1);
    assert!(client.turn(now + Duration::from_secs(30)).is_some());
}
