//! Random programs against the simplest model of the right answer, with restarts and a cache that is too small.

use std::collections::BTreeMap;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Claim { tenant: u8, ids: Vec<u8>, created: bool },
    End { id: u8 },
    Look { id: u8 },
    List { tenant: u8, newest_first: bool, limit: u32 },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_u8, prop::collection::vec(0..12_u8, 1..4), any::<bool>())
            .prop_map(|(tenant, ids, created)| Step::Claim { tenant, ids, created }),
        2 => (0..12_u8).prop_map(|id| Step::End { id }),
        6 => (0..12_u8).prop_map(|id| Step::Look { id }),
        2 => (0..3_u8, any::<bool>(), 1..5_u32)
            .prop_map(|(tenant, newest_first, limit)| Step::List { tenant, newest_first, limit }),
        1 => Just(Step::Restart),
    ]
}

/// For each id: the tenant, whether it ended, and its place in the order of claiming.
#[derive(Default)]
struct Model {
    rows: BTreeMap<u8, (u8, bool, u32)>,
    next: u32,
}

impl Model {
    fn claim(&mut self, tenant: u8, ids: &[u8], created: bool) -> bool {
        if ids.iter().any(|id| self.rows.get(id).is_some_and(|(owner, ..)| *owner != tenant)) {
            return false;
        }
        for id in ids {
            let ended = self.rows.get(id).map(|(_, ended, _)| *ended);
            if ended.is_none() || ended == Some(true) && created {
                self.rows.insert(*id, (tenant, false, self.next));
                self.next += 1;
            }
        }
        true
    }

    fn list(&self, tenant: u8, newest_first: bool) -> Vec<String> {
        let mine = self.rows.iter().filter(|(_, (owner, ended, _))| *owner == tenant && !ended);
        let mut mine: Vec<_> = mine.map(|(id, (.., place))| (*place, id.to_string())).collect();
        mine.sort();
        if newest_first {
            mine.reverse();
        }
        mine.into_iter().map(|(_, id)| id).collect()
    }
}

async fn run(program: Vec<Step>) {
    let folder = TempDir::new().unwrap();
    let options = Options { cache: 128, ..Options::serving(folder.path().join("consentry.db")) };
    let mut store = Sqlite::open(&options).unwrap();
    let mut model = Model::default();
    for step in program {
        match step {
            Step::Claim { tenant, ids, created } => {
                let origin = if created { Origin::Created } else { Origin::Yielded };
                let make = |id: &u8| {
                    let mut claim = claim(&tenant.to_string(), "file", &id.to_string());
                    claim.made.origin = origin;
                    claim
                };
                let outcome = store.claim(ids.iter().map(make).collect()).await;
                assert_eq!(outcome.is_ok(), model.claim(tenant, &ids, created));
            }
            Step::End { id } => {
                let live = model.rows.get_mut(&id).filter(|(_, ended, _)| !ended);
                let expected = live.map(|row| row.1 = true).is_some();
                assert_eq!(store.end(resource("file", &id.to_string())).await.unwrap(), expected);
            }
            Step::Look { id } => {
                let expected = model.rows.get(&id).map(|(tenant, ended, _)| (tenant.to_string(), *ended));
                assert_eq!(owner(&store, "file", &id.to_string()).await, expected);
            }
            Step::List { tenant, newest_first, limit } => {
                let (mut seen, mut after) = (Vec::new(), None);
                loop {
                    let page = Page { after: after.clone(), newest_first, limit, before: None };
                    let tenant = TenantId::new(&tenant.to_string());
                    let slice = store.owned(&upstream(), &Kind::new("file"), &tenant, page).await.unwrap();
                    seen.extend(slice.items.iter().map(|item| item.id.clone()));
                    after = seen.last().cloned();
                    if !slice.more {
                        break;
                    }
                }
                assert_eq!(seen, model.list(tenant, newest_first));
            }
            Step::Restart => {
                drop(store);
                store = Sqlite::open(&options).unwrap();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_store_answers_as_the_model(program in prop::collection::vec(step(), 1..60)) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run(program));
    }
}

/// A look-up that read before an id ended must not bring the dead owner back into the cache.
#[test]
fn a_late_reader_never_revives_an_ended_owner() {
    let folder = TempDir::new().unwrap();
    let store = Arc::new(store(&folder));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    runtime.block_on(async {
        for round in 0..200 {
            let id = format!("r{round}");
            store.claim(vec![claim("acme", "file", &id)]).await.unwrap();
            // Throw it out of the cache, so that the look-ups race for the file.
            store.set_state(resource("file", &id), State::Finished).await.unwrap();
            let looks: Vec<_> = (0..4)
                .map(|_| {
                    let (store, id) = (Arc::clone(&store), id.clone());
                    runtime.spawn(async move { owner(&store, "file", &id).await })
                })
                .collect();
            assert!(store.end(resource("file", &id)).await.unwrap());
            assert!(!cached(&store, "file", &id));
            for look in looks {
                look.await.unwrap();
            }
            assert!(!cached(&store, "file", &id), "round {round}");
        }
    });
}
