use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

use super::{Refusal, verify};

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn claims() -> Value {
    json!({
        "type": "plinth-erasure-receipt/1", "iss": "http://127.0.0.1:8787", "iat": 1_800_000_000,
        "jti": "4b7e4c40-0000-4000-8000-000000000001", "scope": "end-user",
        "projectId": "4b7e4c40-0000-4000-8000-000000000002", "mapVersion": 3,
        "requestedAt": "2027-01-15T08:00:00Z", "completedAt": "2027-01-15T08:00:01Z",
        "tables": [
            {"table": "app_users", "rule": "delete", "rows": 1},
            {"table": "invoices", "rule": "keep", "rows": 2, "reason": "tax law, ten years"},
        ],
        "account": {"users": 1, "sessions": 2}, "documents": 1,
        "kept": [{"what": "invoices", "reason": "tax law, ten years"}],
        "auditChain": {"sequence": 9, "hash": "00ff"},
    })
}

fn signed(header: &Value, payload: &Value, key: &SigningKey) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(payload));
    let signature = key.sign(message.as_bytes()).to_bytes();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn header() -> Value {
    json!({"alg": "EdDSA", "kid": "k1", "typ": "JWT"})
}

fn document() -> Value {
    json!({"receipt": claims(), "jws": signed(&header(), &claims(), &key()), "kid": "k1"})
}

fn keys() -> Value {
    let x = URL_SAFE_NO_PAD.encode(key().verifying_key().to_bytes());
    json!({"keys": [
        {"kty": "EC", "crv": "P-256", "kid": "other", "x": "a", "y": "b"},
        {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "k1", "x": x},
    ]})
}

fn judged(document: &Value, keys: &Value) -> Result<String, Refusal> {
    verify(document.to_string().as_bytes(), keys.to_string().as_bytes()).map(|proven| proven.to_string())
}

#[test]
fn a_genuine_receipt_says_what_it_proves() {
    let proven = judged(&document(), &keys()).unwrap();
    let expected = [
        "GENUINE: signed with the key k1",
        "receipt      4b7e4c40-0000-4000-8000-000000000001",
        "issued by    http://127.0.0.1:8787",
        "about        end-user of project 4b7e4c40-0000-4000-8000-000000000002",
        "subject map  version 3",
        "asked for    2027-01-15T08:00:00Z",
        "completed    2027-01-15T08:00:01Z",
        "table        app_users: 1 delete",
        "table        invoices: 2 keep (tax law, ten years)",
        "account      {\"sessions\":2,\"users\":1}",
        "documents    1",
        "kept         invoices: tax law, ten years",
        "audit chain  entry 9, hash 00ff",
    ];
    assert_eq!(proven.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_receipt_with_any_byte_changed_is_refused() {
    let (document, keys) = (document().to_string().into_bytes(), keys().to_string());
    for place in 0..document.len() {
        let mut changed = document.clone();
        changed[place] ^= 1 << (place % 8);
        assert!(verify(&changed, keys.as_bytes()).is_err(), "byte {place}");
    }
}

#[test]
fn whatever_is_put_into_a_receipt_it_says_the_same_or_is_refused() {
    let (document, keys) = (document().to_string().into_bytes(), keys().to_string());
    let said = verify(&document, keys.as_bytes()).unwrap().to_string();
    // A prime number of them, each at every so many bytes.
    let pieces: [&[u8]; 7] = [b" ", b"1", b"0", b"\"", b",", b"\\u0020", b"\"documents\":999,"];
    let mut passed = 0;
    for place in 0..=document.len() {
        let piece = pieces[place % pieces.len()];
        let changed = [&document[..place], piece, &document[place..]].concat();
        if let Ok(proven) = verify(&changed, keys.as_bytes()) {
            assert_eq!(proven.to_string(), said, "{}", String::from_utf8_lossy(&changed));
            assert_eq!(piece, b" ", "{}", String::from_utf8_lossy(&changed));
            passed += 1;
        }
    }
    assert!(passed > 0, "blanks between members are no change");
}

#[test]
fn a_name_that_stands_twice_is_refused_wherever_it_is() {
    let good = document().to_string();
    for (place, twice) in [
        ("\"documents\":1", "\"documents\":999,\"documents\":1"),
        ("\"documents\":1", "\"documents\":1,\"documents\":1"),
        ("\"documents\":1", "\"docum\\u0065nts\":999,\"documents\":1"),
        ("\"rows\":2", "\"rows\":0,\"rows\":2"),
        ("\"users\":1", "\"users\":0,\"users\":1"),
        ("\"kid\":\"k1\"", "\"kid\":\"k2\",\"kid\":\"k1\""),
    ] {
        let changed = good.replacen(place, twice, 1);
        assert_ne!(changed, good, "{place}");
        let judged = verify(changed.as_bytes(), keys().to_string().as_bytes());
        assert_eq!(judged, Err(Refusal::NoReceipt), "{twice}");
    }
    // Of what is signed, too: by whichever reader, it says one thing.
    let payload = claims().to_string().replacen('{', "{\"documents\":999,", 1);
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header().to_string()),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let signature = URL_SAFE_NO_PAD.encode(key().sign(message.as_bytes()).to_bytes());
    let document = json!({"receipt": claims(), "jws": format!("{message}.{signature}"), "kid": "k1"});
    assert_eq!(judged(&document, &keys()), Err(Refusal::Malformed));
    let twice = keys()
        .to_string()
        .replacen("\"kid\":\"k1\"", "\"kid\":\"k0\",\"kid\":\"k1\"", 1);
    let judged = verify(good.as_bytes(), twice.as_bytes());
    assert_eq!(judged, Err(Refusal::NoKeys));
}

#[test]
fn what_owners_wrote_makes_no_lines_of_its_own() {
    for (text, shown) in [
        ("law\naccount      {\"users\":1}", "law\\naccount      {\"users\":1}"),
        ("a\r\u{1b}[2Kb", "a\\r\\u{1b}[2Kb"),
        ("a\u{9b}2Jb\u{85}\u{2028}c", "a\\u{9b}2Jb\\u{85}\\u{2028}c"),
        ("\u{202e}txet", "\\u{202e}txet"),
        ("a\\nb", "a\\\\nb"),
        ("Größe, «10 лет»", "Größe, «10 лет»"),
    ] {
        let mut told = claims();
        told["tables"][1]["reason"] = json!(text);
        told["tables"][1]["table"] = json!(text);
        told["kept"][0]["reason"] = json!(text);
        told["account"] = json!({ text: 1 });
        let document = json!({"receipt": told, "jws": signed(&header(), &told, &key()), "kid": "k1"});
        let proven = judged(&document, &keys()).unwrap();
        assert_eq!(proven.lines().count(), 13, "{proven}");
        assert!(
            proven.contains(&format!("table        {shown}: 2 keep ({shown})\n")),
            "{proven}"
        );
        assert!(
            proven.contains(&format!("kept         invoices: {shown}\n")),
            "{proven}"
        );
        assert!(
            !proven.contains(|letter: char| letter.is_control() && letter != '\n'),
            "{proven:?}"
        );
    }
}

#[test]
fn what_is_shown_must_be_what_was_signed() {
    for (pointer, value) in [
        ("/tables/0/rows", json!(2)),
        ("/completedAt", json!("2027-01-15T08:00:02Z")),
        ("/kept/0/reason", json!("")),
        ("/mapVersion", json!(3.0)),
    ] {
        let mut changed = document();
        *changed["receipt"].pointer_mut(pointer).unwrap() = value;
        assert_eq!(judged(&changed, &keys()), Err(Refusal::Differs), "{pointer}");
    }
    let mut more = document();
    more["receipt"]["note"] = json!("all of it");
    assert_eq!(judged(&more, &keys()), Err(Refusal::Differs));
}

#[test]
fn another_key_or_algorithm_is_refused() {
    let with = |header: Value, key: &SigningKey| json!({"receipt": claims(), "jws": signed(&header, &claims(), key), "kid": header["kid"]});
    let stranger = SigningKey::from_bytes(&[8; 32]);
    for (header, key, refusal) in [
        (header(), &stranger, Refusal::Signature),
        (json!({"alg": "EdDSA", "kid": "k2"}), &key(), Refusal::UnknownKey),
        (json!({"alg": "EdDSA", "kid": "other"}), &key(), Refusal::BadKey),
        (json!({"alg": "none", "kid": "k1"}), &key(), Refusal::Algorithm),
        (json!({"alg": "HS256", "kid": "k1"}), &key(), Refusal::Algorithm),
        (json!({"alg": "ES256", "kid": "k1"}), &key(), Refusal::Algorithm),
        (
            json!({"alg": "EdDSA", "kid": "k1", "jwk": {}}),
            &key(),
            Refusal::Malformed,
        ),
    ] {
        assert_eq!(judged(&with(header.clone(), key), &keys()), Err(refusal), "{header}");
    }
    let mut two = keys();
    let again = two["keys"][1].clone();
    two["keys"].as_array_mut().unwrap().push(again);
    assert_eq!(judged(&document(), &two), Err(Refusal::UnknownKey), "which of them?");
    let mut named = document();
    named["kid"] = json!("other");
    assert_eq!(judged(&named, &keys()), Err(Refusal::OtherKey));
}

#[test]
fn a_weak_key_lets_nothing_pass() {
    // The neutral point: under lax verification it accepts a signature of any message.
    let mut point = [0_u8; 32];
    point[0] = 1;
    let mut keys = keys();
    keys["keys"][1]["x"] = json!(URL_SAFE_NO_PAD.encode(point));
    let message = document()["jws"]
        .as_str()
        .unwrap()
        .rsplit_once('.')
        .unwrap()
        .0
        .to_owned();
    let mut signature = [0_u8; 64];
    signature[0] = 1;
    let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
    let document = json!({"receipt": claims(), "jws": forged, "kid": "k1"});
    assert_eq!(judged(&document, &keys), Err(Refusal::Signature));
}

#[test]
fn something_else_that_was_signed_is_no_receipt() {
    for payload in [
        json!({"sub": "x"}),
        json!({"type": "plinth-erasure-receipt/2", "jti": "x", "completedAt": "x"}),
        json!({"type": "plinth-erasure-receipt/1"}),
        json!([]),
        json!(null),
    ] {
        let document = json!({"receipt": payload, "jws": signed(&header(), &payload, &key()), "kid": "k1"});
        assert_eq!(judged(&document, &keys()), Err(Refusal::NotAReceipt), "{payload}");
    }
}

#[test]
fn garbage_is_refused() {
    let good = (document().to_string().into_bytes(), keys().to_string().into_bytes());
    for garbage in [
        &b""[..],
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{\"jws\": 1}",
        b"{\"keys\": 1}",
    ] {
        assert_eq!(verify(garbage, &good.1), Err(Refusal::NoReceipt));
        assert_eq!(verify(&good.0, garbage), Err(Refusal::NoKeys));
    }
    for jws in ["", ".", "..", "a.b", "a.b.c", "....", "e30.e30.e30"] {
        let document = json!({"receipt": {}, "jws": jws, "kid": "k1"});
        assert_eq!(judged(&document, &keys()), Err(Refusal::Malformed), "{jws}");
    }
}
