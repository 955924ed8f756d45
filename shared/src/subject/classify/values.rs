//! What values look like that say something of people.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value;

use super::Kind;
use super::ids::{Said, said};
use super::names::{self, Strength, words};
use super::types::Holds;

/// Of a hundred texts that are not empty, how many must look alike.
const ALIKE: usize = 50;
/// The same for texts with an address somewhere inside.
const INSIDE: usize = 10;

/// What most of the texts are, or some of them hold.
pub(super) fn of_texts(texts: &[String]) -> Option<Kind> {
    let texts: Vec<&str> = texts
        .iter()
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
        .collect();
    let mut seen: BTreeMap<Kind, usize> = BTreeMap::new();
    for kind in texts.iter().filter_map(|text| of_text(text)) {
        *seen.entry(kind).or_default() += 1;
    }
    let most = seen.into_iter().max_by_key(|(_, count)| *count);
    if let Some((kind, count)) = most
        && count * 100 >= texts.len() * ALIKE
    {
        return Some(kind);
    }
    let inside = texts.iter().filter(|text| text.split(is_apart).any(is_email)).count();
    (inside > 0 && inside * 100 >= texts.len() * INSIDE).then_some(Kind::Email)
}

/// What documents hold: by the names of their members, and by their values.
pub(super) fn of_documents(texts: &[String]) -> Option<Kind> {
    let mut seen: BTreeMap<Kind, usize> = BTreeMap::new();
    let mut read = 0;
    let mut names = Names::new();
    for text in texts {
        let mut kinds = Vec::new();
        match serde_json::from_str::<Value>(text) {
            Ok(Value::Null) => continue,
            Ok(value) => look(&value, &mut names, &mut kinds),
            // Cut off, or no JSON.
            Err(_) => kinds.extend(text.split(is_apart).any(is_email).then_some(Kind::Email)),
        }
        read += 1;
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds {
            *seen.entry(kind).or_default() += 1;
        }
    }
    let most = seen.into_iter().rev().max_by_key(|(_, count)| *count);
    most.filter(|(_, count)| count * 100 >= read * INSIDE)
        .map(|(kind, _)| kind)
}

/// What members of that name hold, and whether they are numbers.
type Names = BTreeMap<(String, bool), Option<Kind>>;

fn look(value: &Value, names: &mut Names, kinds: &mut Vec<Kind>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let says = !matches!(value, Value::Null | Value::Bool(_)) && value.as_str() != Some("");
                if says {
                    let is_number = value.is_number();
                    let named = names.entry((name.clone(), is_number));
                    kinds.extend(*named.or_insert_with(|| of_member(name, is_number)));
                }
                look(value, names, kinds);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| look(item, names, kinds)),
        Value::String(text) => kinds.extend(of_text(text.trim())),
        _ => {}
    }
}

fn of_member(name: &str, is_number: bool) -> Option<Kind> {
    let held = if is_number { Holds::Number } else { Holds::Text };
    match names::of(&words(name), held) {
        Some((kind, Strength::Strong)) if kind != Kind::FreeText => Some(kind),
        _ => (said(&words(name), "") == Some(Said::Id)).then_some(Kind::PersonId),
    }
}

/// Whether a text is of a kind.
type Check = fn(&str) -> bool;

/// What one text is.
fn of_text(text: &str) -> Option<Kind> {
    let checks: [(Kind, Check); 8] = [
        (Kind::Email, is_email),
        (Kind::IpAddress, is_ip),
        (Kind::Device, is_mac),
        (Kind::NationalId, is_social_security),
        (Kind::Bank, |text| is_iban(text) || is_card(text)),
        (Kind::Phone, is_phone),
        (Kind::Credential, is_hash),
        (Kind::Address, is_address),
    ];
    let found = checks.iter().find(|(_, check)| check(text)).map(|(kind, _)| *kind);
    found.or_else(|| is_name(text).then_some(Kind::Name))
}

/// What stands around an address in a text.
fn is_apart(sign: char) -> bool {
    sign.is_whitespace()
        || matches!(
            sign,
            ',' | ';' | '<' | '>' | '(' | ')' | '"' | '\'' | '[' | ']' | '{' | '}' | ':' | '=' | '/'
        )
}

pub(super) fn is_email(text: &str) -> bool {
    let text = text.trim_end_matches(['.', '!', '?']);
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let Some((host, top)) = domain.rsplit_once('.') else {
        return false;
    };
    let plain =
        |sign: char| sign.is_alphanumeric() || matches!(sign, '.' | '_' | '%' | '+' | '-' | '\'' | '&' | '!' | '#');
    !local.is_empty()
        && local.len() <= 64
        && local.chars().all(plain)
        && !host.is_empty()
        && host
            .chars()
            .all(|sign| sign.is_alphanumeric() || matches!(sign, '.' | '-'))
        && top.chars().count() >= 2
        && top.chars().all(char::is_alphabetic)
}

fn is_ip(text: &str) -> bool {
    // A network's length may follow.
    let address = text.split('/').next().unwrap_or(text);
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => true,
        Ok(IpAddr::V6(_)) => address.len() >= 6,
        Err(_) => false,
    }
}

fn is_mac(text: &str) -> bool {
    let pairs: Vec<&str> = text.split([':', '-']).collect();
    pairs.len() == 6
        && pairs
            .iter()
            .all(|pair| pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

fn is_social_security(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [3, 2, 4]
        && parts
            .iter()
            .all(|part| part.bytes().all(|digit| digit.is_ascii_digit()))
}

/// ISO 13616: the number read as one of base 36, its first four at the end, is 1 modulo 97.
fn is_iban(text: &str) -> bool {
    let text: String = text.chars().filter(|sign| *sign != ' ').collect();
    let bytes = text.as_bytes();
    let shaped = (15..=34).contains(&bytes.len())
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit)
        && bytes.iter().all(u8::is_ascii_alphanumeric);
    if !shaped {
        return false;
    }
    let turned = bytes[4..].iter().chain(&bytes[..4]);
    let rest = turned.fold(0_u32, |rest, byte| match char::from(*byte).to_digit(36) {
        Some(digit) if digit > 9 => (rest * 100 + digit) % 97,
        Some(digit) => (rest * 10 + digit) % 97,
        None => rest,
    });
    rest == 1
}

/// ISO/IEC 7812: its digits fulfil Luhn's sum.
fn is_card(text: &str) -> bool {
    if text
        .chars()
        .any(|sign| !sign.is_ascii_digit() && sign != ' ' && sign != '-')
    {
        return false;
    }
    let digits: Vec<u32> = text.chars().filter_map(|sign| sign.to_digit(10)).collect();
    if !(13..=19).contains(&digits.len()) || !matches!(digits.first(), Some(2..=6)) {
        return false;
    }
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match (at % 2, digit * 2) {
            (0, _) => *digit,
            (_, double) if double > 9 => double - 9,
            (_, double) => double,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// With a sign that it is one: a plus, or a zero and something between its digits. Days are none.
fn is_phone(text: &str) -> bool {
    let allowed = |sign: char| sign.is_ascii_digit() || matches!(sign, ' ' | '(' | ')' | '-' | '.' | '/' | '+');
    let digits = text.chars().filter(char::is_ascii_digit).count();
    if !text.chars().all(allowed) || !(7..=15).contains(&digits) || text[1.min(text.len())..].contains('+') {
        return false;
    }
    let parts: Vec<usize> = text.split(['-', '.', '/']).map(str::len).collect();
    if matches!(parts.as_slice(), [1..=2, 1..=2, 2 | 4] | [4, 1..=2, 1..=2]) {
        return false;
    }
    let parted = text.contains([' ', '-', '/', '(']);
    let american = text.starts_with('(') || parts == [3, 3, 4];
    text.starts_with('+') || american && parted || text.starts_with('0') && parted
}

fn is_hash(text: &str) -> bool {
    [
        "$2a$",
        "$2b$",
        "$2y$",
        "$argon2",
        "$pbkdf2",
        "$scrypt",
        "pbkdf2_sha256$",
    ]
    .iter()
    .any(|begin| text.starts_with(begin))
}

/// A number and a word for a street.
fn is_address(text: &str) -> bool {
    let lower = text.to_lowercase();
    let numbered = lower
        .split([' ', ','])
        .any(|word| word.starts_with(|sign: char| sign.is_ascii_digit()) && word.len() <= 6);
    let words: Vec<&str> = lower.split([' ', ',', '.']).filter(|word| !word.is_empty()).collect();
    let street = |word: &&str| {
        matches!(
            *word,
            "street"
                | "st"
                | "road"
                | "rd"
                | "avenue"
                | "ave"
                | "lane"
                | "ln"
                | "drive"
                | "boulevard"
                | "blvd"
                | "rue"
                | "calle"
                | "via"
                | "rua"
                | "platz"
                | "weg"
                | "allee"
                | "plaza"
                | "straat"
        ) || word.ends_with("straße")
            || word.ends_with("strasse")
            || word.ends_with("str")
            || word.ends_with("straat")
            || word.ends_with("gasse")
    };
    numbered && (2..=10).contains(&words.len()) && words.iter().any(street)
}

/// A given name that many have, and one or two more names.
fn is_name(text: &str) -> bool {
    let parts: Vec<&str> = text.split(' ').collect();
    let named = |part: &&str| {
        part.starts_with(char::is_uppercase)
            && part
                .chars()
                .all(|sign| sign.is_alphabetic() || matches!(sign, '-' | '\'' | '.'))
    };
    let Some(first) = parts.first() else { return false };
    (2..=3).contains(&parts.len())
        && parts.iter().all(named)
        && GIVEN.split(' ').any(|given| given == first.to_lowercase())
}

/// Names that parents give often, where the languages above are spoken.
const GIVEN: &str = "ada adam ahmed aisha alan alex alexander alice amelia amy ana andrea andreas andrew angela anna anne \
    anton antonio aria arthur ben benjamin bob bruno carl carla carlos carol caroline catherine charles \
    charlotte chiara chris christian christine claire clara claudia daniel dave david diana diego donald \
    dorothy edward elena elias elisabeth elizabeth ella emil emily emma eric erik eva fatima felix \
    fernando finn francesco frank frida gabriel george giulia grace greta hannah hans harry helen helena \
    henry hugo ibrahim ines isabel isabella ivan jack jacob jakob james jan jane jean jennifer jessica \
    joan joao john jonas jorge jose joseph juan julia julian karen karl kate katharina kevin klaus laura \
    lea lena leo leon leonardo liam linda lisa louis lucas lucia luis luca lukas manuel marco margaret \
    maria marie mario mark marta martin mary matteo matthew max maximilian mia michael miguel mohamed \
    mohammed monika nancy nicolas nina noah nora oliver olivia oscar pablo patricia paul paula pedro \
    peter petra philip pierre rachel rafael raj rebecca richard robert roberto rosa ruth sabine sam \
    samuel sandra sara sarah sebastian sofia sophia sophie stefan stephanie steven susan susanne thomas \
    tim tom ursula victor victoria walter william wolfgang yusuf zoe";
