//! In which order things are done that wait for each other.

/// The strongly connected components of a graph of `count` nodes, by Tarjan's algorithm: each one before those that its
/// edges lead to. `before(a)` are the nodes that come behind `a`.
/// See <https://en.wikipedia.org/wiki/Tarjan%27s_strongly_connected_components_algorithm>.
pub(super) fn components(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut search = Search {
        edges,
        found: vec![None; edges.len()],
        lowest: vec![0; edges.len()],
        stack: Vec::new(),
        components: Vec::new(),
        next: 0,
    };
    for node in 0..edges.len() {
        if search.found[node].is_none() {
            search.visit(node);
        }
    }
    // Those that nothing leads out of are found first.
    search.components.reverse();
    search.components
}

struct Search<'e> {
    edges: &'e [Vec<usize>],
    found: Vec<Option<usize>>,
    lowest: Vec<usize>,
    stack: Vec<usize>,
    components: Vec<Vec<usize>>,
    next: usize,
}

impl Search<'_> {
    /// As deep as the longest chain of tables.
    fn visit(&mut self, node: usize) {
        let number = self.next;
        self.next += 1;
        self.found[node] = Some(number);
        self.lowest[node] = number;
        self.stack.push(node);
        for &to in &self.edges[node] {
            match self.found[to] {
                None => {
                    self.visit(to);
                    self.lowest[node] = self.lowest[node].min(self.lowest[to]);
                }
                Some(found) if self.stack.contains(&to) => self.lowest[node] = self.lowest[node].min(found),
                Some(_) => {}
            }
        }
        if self.lowest[node] == number {
            let at = self.stack.iter().position(|&other| other == node).unwrap_or_default();
            let mut component = self.stack.split_off(at);
            component.sort_unstable();
            self.components.push(component);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::components;

    #[test]
    fn circles_are_together_and_what_waits_comes_last() {
        for (edges, expected) in [
            (vec![], vec![]),
            (vec![vec![]], vec![vec![0]]),
            (vec![vec![0]], vec![vec![0]]),
            (vec![vec![], vec![0]], vec![vec![1], vec![0]]),
            (vec![vec![1], vec![2], vec![0, 3], vec![]], vec![vec![0, 1, 2], vec![3]]),
            (vec![vec![], vec![2, 0], vec![1]], vec![vec![1, 2], vec![0]]),
        ] {
            assert_eq!(components(&edges), expected, "{edges:?}");
        }
    }
}
