//! An order in which everything comes after what it waits for, and else as declared.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Returns the indices in order, by Kahn's algorithm with a heap on the index. What lies on a cycle is left out.
#[must_use]
pub fn order(waits: &[Vec<usize>]) -> Vec<usize> {
    let mut left: Vec<usize> = vec![0; waits.len()];
    let mut behind: Vec<Vec<usize>> = vec![Vec::new(); waits.len()];
    for (index, before) in waits.iter().enumerate() {
        for &first in before {
            left[index] += 1;
            behind[first].push(index);
        }
    }
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..waits.len()).filter(|&index| left[index] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(waits.len());
    while let Some(Reverse(index)) = ready.pop() {
        order.push(index);
        for &next in &behind[index] {
            left[next] -= 1;
            if left[next] == 0 {
                ready.push(Reverse(next));
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn what_may_run_at_once_stays_as_declared() {
        assert_eq!(order(&[vec![3], vec![], vec![1], vec![], vec![0, 2]]), [1, 2, 3, 0, 4]);
        assert_eq!(order(&[vec![1], vec![0], vec![]]), [2]);
    }
}
