//! The text somebody probably meant among longer ones, as upstream finds it: texts that share three letters in a row (or
//! else two), by how much of them would have to change.

use std::collections::BTreeSet;

/// The most alike of `candidates`, if any is alike enough.
pub(super) fn best<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 512;
    /// In hundredths, as upstream.
    const LEAST: usize = 33;
    if text.len() > LONGEST {
        return None;
    }
    let wanted = plain(text);
    let candidates: Vec<(Vec<char>, &str)> = candidates
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (plain(candidate), candidate))
        .collect();
    [3, 2].into_iter().find_map(|size| {
        let grams = grams(&wanted, size);
        let akin = candidates
            .iter()
            .filter(|(other, _)| !self::grams(other, size).is_disjoint(&grams));
        akin.map(|(other, candidate)| (likeness(&wanted, other), *candidate))
            .filter(|(likeness, _)| *likeness >= LEAST)
            // Of equals the first.
            .max_by(|(a, x), (b, y)| a.cmp(b).then(y.cmp(x)))
            .map(|(_, candidate)| candidate)
    })
}

fn plain(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).collect()
}

fn grams(text: &[char], size: usize) -> BTreeSet<Vec<char>> {
    let mut framed = vec!['-'];
    framed.extend(text.iter().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | ',')));
    framed.push('-');
    framed.windows(size).map(<[char]>::to_vec).collect()
}

/// How alike two texts are, in hundredths.
fn likeness(a: &[char], b: &[char]) -> usize {
    let longest = a.len().max(b.len()).max(1);
    100 - 100 * distance(a, b) / longest
}

/// Levenshtein's distance.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::best;

    #[test]
    fn near_texts_are_found_and_far_ones_are_not() {
        let functions = ["test", "another", "other"];
        assert_eq!(best("testt", functions.into_iter()), Some("test"));
        assert_eq!(best("othr", functions.into_iter()), Some("other"));
        assert_eq!(best("noclosealternative", functions.into_iter()), None);
        let lists = ["(name, param, val)", "(id, name)"];
        assert_eq!(
            best("(nam, pqaram, vall)", lists.into_iter()),
            Some("(name, param, val)")
        );
        assert_eq!(best("(noclosealternative)", lists.into_iter()), None);
        assert_eq!(best("()", ["()"].into_iter()), Some("()"));
    }
}
