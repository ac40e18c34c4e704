//! `/v1/conversations`: what was said, kept until somebody ends it.

use serde_json::{Map, Value, json};

use super::account::{App, State, seconds};
use super::assistants::Shown;
use super::call::Call;
use super::ids;
use super::reply::{Answer, Fault};
use super::response_items;
use super::router::unknown;
use super::table::{Paging, Table};

/// The most items that one call may add.
const MOST_ADDED: usize = 20;

/// A conversation with what was said in it.
pub(super) struct Conversation {
    shown: Shown,
    items: Table<Shown>,
}

pub(super) async fn route(app: &App, call: &mut Call, path: &[&str]) -> Answer {
    match (call.method.as_str(), path) {
        ("POST", []) => create(app, call).await,
        ("GET", [id]) => Ok(found(&mut app.state(), id)?.shown.value.clone().into()),
        ("POST", [id]) => {
            let body = call.json().await?;
            let mut state = app.state();
            let conversation = found(&mut state, id)?;
            conversation.shown.take(&body, &["metadata"]);
            Ok(conversation.shown.value.clone().into())
        }
        ("DELETE", [id]) => {
            app.state().conversations.remove(id).ok_or_else(|| missing(id))?;
            Ok(json!({"id": id, "object": "conversation.deleted", "deleted": true}).into())
        }
        (_, [id, "items", rest @ ..]) => items(app, call, id, rest).await,
        _ => Err(unknown(call)),
    }
}

fn missing(id: &str) -> Fault {
    Fault::missing("conversation", id)
}

fn found<'s>(state: &'s mut State, id: &str) -> Result<&'s mut Conversation, Fault> {
    state.conversations.get_mut(id).ok_or_else(|| missing(id))
}

async fn create(app: &App, call: &mut Call) -> Answer {
    let body = call.json().await?;
    let mut state = app.state();
    let items = asked(&mut state, &body)?;
    let id = ids::hex("conv_", 48);
    let metadata = body.get("metadata").cloned().unwrap_or_else(|| json!({}));
    let value = json!({"id": id, "object": "conversation", "created_at": seconds(), "metadata": metadata});
    let shown = Shown::new(app, value.clone())?;
    state.conversations.insert(&id, Conversation { shown, items: Table::default() });
    add(app, &mut state, &id, items)?;
    Ok(value.into())
}

/// The items that a call names, each with its id; files that they name have to be there.
fn asked(state: &mut State, body: &Map<String, Value>) -> Result<Vec<(String, Value)>, Fault> {
    let items = response_items::items_of(body.get("items"));
    if items.len() > MOST_ADDED {
        return Err(Fault::invalid(format!("'items' has more than {MOST_ADDED} items.")).param("items"));
    }
    response_items::check(state, &Map::new(), &items)?;
    Ok(items)
}

/// Puts items into a conversation that is there.
pub(super) fn add(
    app: &App,
    state: &mut State,
    id: &str,
    items: impl IntoIterator<Item = (String, Value)>,
) -> Result<(), Fault> {
    for (item, value) in items {
        let shown = Shown::new(app, value)?;
        found(state, id)?.items.insert(&item, shown);
    }
    Ok(())
}

async fn items(app: &App, call: &mut Call, id: &str, path: &[&str]) -> Answer {
    let gone = |item: &str| Fault::missing("item", item);
    match (call.method.as_str(), path) {
        ("POST", []) => {
            let body = call.json().await?;
            let mut state = app.state();
            found(&mut state, id)?;
            let items = asked(&mut state, &body)?;
            let data: Vec<_> = items.iter().map(|(_, item)| item.clone()).collect();
            let end = |item: Option<&(String, Value)>| item.map(|(id, _)| id.clone());
            let (first, last) = (end(items.first()), end(items.last()));
            add(app, &mut state, id, items)?;
            Ok(json!({
                "object": "list", "data": data, "first_id": first, "last_id": last, "has_more": false,
            })
            .into())
        }
        ("GET", []) => {
            let paging = Paging::of(call, 20, 100)?;
            let mut state = app.state();
            let all = found(&mut state, id)?.items.iter();
            Ok(paging.cut(all.map(|(id, item)| (id.to_owned(), item.value.clone())))?.full().into())
        }
        ("GET", [item]) => {
            let mut state = app.state();
            Ok(found(&mut state, id)?.items.get(item).ok_or_else(|| gone(item))?.value.clone().into())
        }
        ("DELETE", [item]) => {
            let mut state = app.state();
            let conversation = found(&mut state, id)?;
            conversation.items.remove(item).ok_or_else(|| gone(item))?;
            Ok(conversation.shown.value.clone().into())
        }
        _ => Err(unknown(call)),
    }
}
