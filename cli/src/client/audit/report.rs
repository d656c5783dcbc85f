//! What a verifier found, for people and for programs.

use nats::audit::{Report, Wrong};
use serde_json::{Value, json};

/// For programs.
pub(super) fn whole(report: &Report, wrong: Option<&Wrong>) -> Value {
    let signers: Vec<Value> = report
        .signers
        .iter()
        .map(|(key, signer)| {
            json!({ "key": key, "checkpoints": signer.checkpoints, "through": signer.through })
        })
        .collect();
    json!({
        "holds": wrong.is_none(),
        "records": report.records,
        "checkpoints": report.checkpoints,
        "signed_through": report.signed.map_or(0, |signed| signed.sequence),
        "unsigned": report.unsigned,
        "keys": signers,
        "keep": report.signed.map(|signed| signed.to_string()),
        "wrong": wrong.map(|wrong| json!({
            "sequence": wrong.sequence(), "kind": wrong.kind(), "what": wrong.to_string(),
        })),
    })
}

/// For people.
pub(super) fn words(report: &Report, wrong: Option<&Wrong>) -> String {
    let mut lines = Vec::new();
    match wrong {
        None => lines.push(format!(
            "It holds: {} records, {} of them checkpoints.",
            report.records, report.checkpoints
        )),
        Some(wrong) => lines.push(format!(
            "Wrong at record {}, after {} records and {} checkpoints that fit.",
            wrong.sequence(),
            report.records,
            report.checkpoints
        )),
    }
    if let Some(signed) = report.signed {
        lines.push(format!("Signed up to record {}.", signed.sequence));
    }
    if report.unsigned > 0 {
        lines.push(format!(
            "Not signed yet, so nobody vouches for them: the last {}.",
            report.unsigned
        ));
    }
    for (key, signer) in &report.signers {
        lines.push(format!(
            "Signed by {key}: {} checkpoints, the last of record {}.",
            signer.checkpoints, signer.through
        ));
    }
    if let Some(signed) = report.signed.filter(|_| wrong.is_none()) {
        lines.push(format!(
            "Keep elsewhere, for the next time: --kept {signed}"
        ));
    }
    lines.join("\n")
}
