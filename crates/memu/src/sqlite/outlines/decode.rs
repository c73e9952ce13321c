//! Decoding blocks on other threads while the next ones are read.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use memu_core::Result;
use memu_core::ranking::outline::{Block, Entry};

/// From how many blocks on decoding them takes longer than starting a thread.
const WORTH_A_THREAD: usize = 32;
/// How many blocks wait to be decoded; more are decoded by who reads them.
const WAITING: usize = 16;
/// The most threads that help.
const HELPERS: usize = 4;

/// A block by its number, with its bytes.
type Body = (usize, Vec<u8>);
/// A block by its number; `None` for one that cannot be read.
type Decoded<T> = (usize, Option<Block<T>>);

/// Decodes these blocks, whose bytes `read` gives, in any order.
pub(super) fn all<T: Entry + Send>(
    blocks: &[usize],
    mut read: impl FnMut(usize) -> Result<Option<Vec<u8>>>,
) -> Result<Vec<Decoded<T>>> {
    // The system is asked only where it matters, for its answer takes as long as ten blocks.
    let helpers = if blocks.len() >= WORTH_A_THREAD {
        thread::available_parallelism().map_or(0, |threads| (threads.get() - 1).min(HELPERS))
    } else {
        0
    };
    let (sender, receiver) = sync_channel(WAITING);
    let receiver = Mutex::new(receiver);
    thread::scope(|scope| {
        let help = || decode_what_waits(&receiver);
        let start = |_| thread::Builder::new().spawn_scoped(scope, help).ok();
        let helping: Vec<_> = (0..helpers).filter_map(start).collect();
        let mut decoded = Vec::with_capacity(blocks.len());
        for number in blocks {
            match read(*number)? {
                Some(bytes) if helping.is_empty() => decoded.push(decode((*number, bytes))),
                Some(bytes) => decoded.extend(hand_over(&sender, (*number, bytes)).map(decode)),
                None => decoded.push((*number, None)),
            }
        }
        drop(sender);
        if !helping.is_empty() {
            decoded.extend(decode_what_waits(&receiver));
        }
        for thread in helping {
            // What a thread that failed had decoded is made from the rows.
            decoded.extend(thread.join().unwrap_or_default());
        }
        Ok(decoded)
    })
}

/// What nobody has room for.
fn hand_over(sender: &SyncSender<Body>, body: Body) -> Option<Body> {
    match sender.try_send(body) {
        Ok(()) => None,
        Err(TrySendError::Full(body) | TrySendError::Disconnected(body)) => Some(body),
    }
}

fn decode_what_waits<T: Entry>(receiver: &Mutex<Receiver<Body>>) -> Vec<Decoded<T>> {
    let next = || {
        let receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner);
        receiver.recv().ok()
    };
    std::iter::from_fn(next).map(decode).collect()
}

fn decode<T: Entry>((number, bytes): Body) -> Decoded<T> {
    (number, Block::from_bytes(&bytes).ok())
}

#[cfg(test)]
mod tests {
    use memu_core::Error;
    use memu_core::ranking::outline::{BlockBuilder, ItemOutline};
    use memu_core::records::{Id, MemoryItem, Meta};
    use memu_core::scope::ScopeSchema;
    use memu_core::time::Timestamp;

    use super::*;

    /// A block of one item in this place.
    fn body(place: usize) -> Vec<u8> {
        let scope = ScopeSchema::default().scope([("user_id", "ann")]).unwrap();
        let item = MemoryItem {
            meta: Meta::new(
                Id::from_uuid_bytes([7; 16]),
                scope,
                Timestamp::from_micros(7),
            ),
            resource_id: None,
            memory_type: "knowledge".to_owned(),
            summary: "a red kayak".to_owned(),
            happened: None,
            extra: serde_json::Map::new(),
            segment_ids: Vec::new(),
        };
        let mut builder = BlockBuilder::default();
        builder.push(|texts| {
            ItemOutline::new(&item, place as u64, None, Vec::new(), Vec::new(), texts)
        });
        builder.finish()[0].to_bytes().unwrap()
    }

    #[test]
    fn every_block_is_answered_for_once_with_what_is_in_it() {
        let numbers: Vec<usize> = (0..1_000).collect();
        let read = |number: usize| {
            Ok(match number % 3 {
                0 => None,
                1 => Some(vec![7; number]),
                _ => Some(body(number)),
            })
        };
        let mut answered = all::<ItemOutline>(&numbers, read).unwrap();
        answered.sort_unstable_by_key(|(number, _)| *number);
        for (expected, (number, block)) in answered.iter().enumerate() {
            assert_eq!(*number, expected);
            let place = block.as_ref().map(|block| block.first_place().unwrap());
            assert_eq!(place, (number % 3 == 2).then_some(expected as u64));
        }
        assert_eq!(answered.len(), numbers.len());
    }

    #[test]
    fn what_cannot_be_read_ends_it() {
        let numbers: Vec<usize> = (0..100).collect();
        let read = |number: usize| match number {
            50 => Err(Error::internal("no")),
            _ => Ok(Some(Vec::new())),
        };
        assert!(all::<ItemOutline>(&numbers, read).is_err());
    }
}
