//! Where does it go? Connections to the upstream accounts, one pool for each tenant unless the account says
//! otherwise, and the one door through which a request leaves: [`Upstreams::dispatch`] takes nothing but a
//! [`Cleared`] request, which can't be made without the proofs of isolation, consent and censoring.
//!
//! The proofs can't be made up. Each of these is what somebody in a hurry would write, and none compiles:
//!
//! ```compile_fail,E0451
//! # use consentry::{isolation::TenantScope, names::TenantId};
//! let scope = TenantScope { tenant: TenantId::new("acme"), datasets: vec![], owned: vec![] };
//! ```
//!
//! ```compile_fail,E0451
//! let permit = consentry::consent::Permit { training: true };
//! ```
//!
//! ```compile_fail,E0624
//! let body = consentry::body::Censored::own("not looked at".to_owned());
//! ```
//!
//! ```compile_fail,E0308
//! # use consentry::upstream::Upstreams;
//! # async fn hurry(upstreams: &Upstreams, upstream: &consentry::config::Upstream, request: http::Request<()>) {
//! upstreams.dispatch(upstream, 1, request).await;
//! # }
//! ```

mod door;
mod failure;
mod head;
mod link;
mod pool;

pub use door::{Cleared, Desk, Head};
pub use head::{REQUEST_ID, name, own, target};
pub use link::AnswerBody;
pub use pool::{UpstreamBody, Upstreams};
