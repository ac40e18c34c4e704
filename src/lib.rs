//! Consentry: a privacy-aware TLS gateway for ML data.
//!
//! Rooms and the direction of the arrows between them are described in `ARCHITECTURE.md`.
//! [`censor`] is usable alone: it knows bytes and rules, and nothing else.

pub mod account;
pub mod analyser;
pub mod audit;
pub mod body;
pub mod catalog;
pub mod censor;
pub mod cli;
pub mod config;
pub mod conformance;
pub mod consent;
pub mod diagnostic;
pub mod gateway;
pub mod identity;
pub mod isolation;
pub mod lifecycle;
pub mod lineage;
pub mod listener;
pub mod names;
pub mod openapi;
pub mod pointer;
pub mod reason;
pub mod sandbox;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod upstream;
