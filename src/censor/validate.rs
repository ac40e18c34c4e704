//! Is this candidate what its shape says it is?
//!
//! Pure functions `fn(&[u8]) -> bool` over the bytes that a rule's pattern matched, by name, so that rule files can
//! ask for them. Separators that people write into numbers (space, `-`, `.`, `/`, no-break space) are skipped.
//! For digits alone the check digit is the gate of a rule; for prefixed tokens it only lifts confidence (most
//! tokens in test suites are random and fail it), so no token rule may be gated by one of [`CONFIDENCE_ONLY`].

mod americas;
mod asia;
mod calendar;
mod cards;
mod europe;
mod keccak;
mod ledger;
mod network;
mod pacific;
mod person;
mod phone;
mod placeholder;
mod shape;
mod sums;
#[cfg(test)]
mod tests;
mod token;
mod travel;
mod vat;
mod words;

pub(super) use cards::iban_length;
pub(super) use phone::{international as phone_international, national as phone_national};
pub use placeholder::is_placeholder;
pub use shape::entropy;
pub(super) use shape::{key_like, password_like, token_like};
pub(super) use sums::mod97;

/// A check over the bytes a pattern matched. True: the candidate holds.
pub type Validator = fn(&[u8]) -> bool;

/// Validators that must not gate a prefixed token: a failing checksum says "made up by a test", not "not a token".
pub const CONFIDENCE_ONLY: &[&str] =
    &["github_crc", "npm_crc", "cloudflare_crc", "grafana_crc", "atlassian_crc"];

/// The validator a rule file names, or `None` when there is none of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<Validator> {
    TABLE.iter().find(|(known, _)| *known == name).map(|(_, check)| *check)
}

/// The names [`by_name`] knows, in the order of the table (for did-you-mean and for the generated reference).
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(name, _)| *name)
}

/// Name and function of every validator. Flat on purpose: one line each, by family.
const TABLE: &[(&str, Validator)] = &[
    // numbers in general
    ("luhn", sums::luhn),
    ("verhoeff", sums::verhoeff),
    ("iso7064_mod11_10", sums::iso7064_mod11_10),
    // money
    ("card", cards::card),
    ("iban", cards::iban),
    ("aba_routing", cards::aba_routing),
    ("imei", cards::imei),
    ("bic", cards::bic),
    // addresses of ledgers
    ("base58check", ledger::base58check),
    ("bitcoin_address", ledger::bitcoin_address),
    ("bech32", ledger::bech32),
    ("eip55", ledger::eip55),
    ("solana_address", ledger::solana_address),
    // tokens
    ("github_crc", token::github_crc),
    ("npm_crc", token::github_crc),
    ("cloudflare_crc", token::cloudflare_crc),
    ("grafana_crc", token::grafana_crc),
    ("atlassian_crc", token::atlassian_crc),
    ("jwt", token::jwt),
    ("pem", token::pem),
    ("macaroon", token::macaroon),
    ("base64_json", token::base64_json),
    ("basic_credentials", token::basic_credentials),
    // looks
    ("not_placeholder", placeholder::not_placeholder),
    ("mixed", shape::mixed),
    ("has_digit", shape::has_digit),
    ("token_like", shape::token_like),
    ("key_like", shape::key_like),
    ("password_like", shape::password_like),
    // networks and places
    ("ip_public", network::ip_public),
    ("ip_any", network::ip_any),
    ("mac", network::mac),
    ("coordinates", network::coordinates),
    ("email", network::email),
    ("postal_address", network::postal_address),
    ("person_name", person::person_name),
    ("phone_international", phone::international),
    ("phone_national", phone::national),
    ("phone_north_america", phone::north_america),
    ("birth_date", calendar::birth_date),
    ("age", calendar::age),
    ("mrz", travel::mrz),
    ("vin", travel::vin),
    // the Americas
    ("us_ssn", americas::us_ssn),
    ("us_itin", americas::us_itin),
    ("us_npi", americas::us_npi),
    ("us_mbi", americas::us_mbi),
    ("us_dea", americas::us_dea),
    ("us_ein", americas::us_ein),
    ("ca_sin", americas::ca_sin),
    ("br_cpf", americas::br_cpf),
    ("br_cnpj", americas::br_cnpj),
    ("ar_cuit", americas::ar_cuit),
    ("cl_rut", americas::cl_rut),
    ("co_nit", americas::co_nit),
    ("mx_curp", americas::mx_curp),
    ("mx_rfc", americas::mx_rfc),
    ("ec_cedula", americas::ec_cedula),
    ("uy_ci", americas::uy_ci),
    ("pe_ruc", americas::pe_ruc),
    // Europe
    ("uk_nino", europe::uk_nino),
    ("uk_nhs", europe::uk_nhs),
    ("uk_utr", europe::uk_utr),
    ("de_tax_id", europe::de_tax_id),
    ("de_id_card", europe::de_id_card),
    ("de_pension", europe::de_pension),
    ("de_health", europe::de_health),
    ("fr_nir", europe::fr_nir),
    ("es_nif", europe::es_nif),
    ("es_nie", europe::es_nie),
    ("es_nss", europe::es_nss),
    ("it_fiscal_code", europe::it_fiscal_code),
    ("pl_pesel", europe::pl_pesel),
    ("pl_nip", europe::pl_nip),
    ("pl_regon", europe::pl_regon),
    ("pl_id_card", europe::pl_id_card),
    ("se_personnummer", europe::se_personnummer),
    ("fi_hetu", europe::fi_hetu),
    ("no_fodselsnummer", europe::no_fodselsnummer),
    ("dk_cpr", europe::dk_cpr),
    ("is_kennitala", europe::is_kennitala),
    ("nl_bsn", europe::nl_bsn),
    ("be_nrn", europe::be_nrn),
    ("at_svnr", europe::at_svnr),
    ("ch_ahv", europe::ch_ahv),
    ("cz_rodne_cislo", europe::cz_rodne_cislo),
    ("pt_nif", europe::pt_nif),
    ("ro_cnp", europe::ro_cnp),
    ("bg_egn", europe::bg_egn),
    ("hr_oib", sums::iso7064_mod11_10),
    ("jmbg", europe::jmbg),
    ("hu_taj", europe::hu_taj),
    ("hu_tax_id", europe::hu_tax_id),
    ("gr_amka", europe::gr_amka),
    ("gr_afm", europe::gr_afm),
    ("ie_pps", europe::ie_pps),
    ("baltic_id", europe::baltic_id),
    ("lv_pk", europe::lv_pk),
    ("ru_inn", europe::ru_inn),
    ("ru_snils", europe::ru_snils),
    ("ua_rnokpp", europe::ua_rnokpp),
    ("eu_vat", vat::eu_vat),
    // Asia and Africa
    ("in_aadhaar", asia::in_aadhaar),
    ("in_pan", asia::in_pan),
    ("in_gstin", asia::in_gstin),
    ("sg_nric", asia::sg_nric),
    ("my_nric", asia::my_nric),
    ("sa_id", asia::sa_id),
    ("ae_id", asia::ae_id),
    ("eg_id", asia::eg_id),
    ("il_id", asia::il_id),
    ("ir_id", asia::ir_id),
    ("tr_id", asia::tr_id),
    ("kw_id", asia::kw_id),
    ("cn_ric", asia::cn_ric),
    ("hk_id", asia::hk_id),
    ("tw_id", asia::tw_id),
    ("kr_rrn", asia::kr_rrn),
    ("kr_rrn_bare", asia::kr_rrn_bare),
    ("kr_brn", asia::kr_brn),
    ("jp_my_number", asia::jp_my_number),
    ("th_id", asia::th_id),
    ("id_nik", asia::id_nik),
    ("vn_cccd", asia::vn_cccd),
    ("kz_iin", asia::kz_iin),
    ("lk_nic", asia::lk_nic),
    ("za_id", asia::za_id),
    // the Pacific
    ("au_tfn", pacific::au_tfn),
    ("au_abn", pacific::au_abn),
    ("au_acn", pacific::au_acn),
    ("au_medicare", pacific::au_medicare),
    ("nz_ird", pacific::nz_ird),
    ("nz_nhi", pacific::nz_nhi),
];
