//! One list, all cores.

use super::machine;

/// Hands parts of a list to threads, one each; the results are in the order of the list. Below `least` items a thread costs more than
/// it brings, and all is done here.
pub fn share<T: Sync, R: Send>(items: &[T], least: usize, work: &(dyn Fn(&[T]) -> R + Sync)) -> Vec<R> {
    let threads = machine::processors();
    if items.len() < least || threads == 1 {
        return vec![work(items)];
    }
    std::thread::scope(|scope| {
        let mut parts = items.chunks(items.len().div_ceil(threads));
        let first = parts.next().unwrap_or_default();
        let others: Vec<_> = parts.map(|part| (part, scope.spawn(move || work(part)))).collect();
        let mut all = vec![work(first)];
        // A thread that died left its part undone.
        all.extend(others.into_iter().map(|(part, other)| other.join().unwrap_or_else(|_| work(part))));
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_once_and_in_order() {
        for count in [0, 1, 7, 1000] {
            let items: Vec<usize> = (0..count).collect();
            let parts = share(&items, 4, &|part: &[usize]| part.to_vec());
            assert_eq!(parts.concat(), items);
        }
    }
}
