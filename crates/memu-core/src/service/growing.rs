//! What was read of a scope, with the index over it, which grows from one state to the next.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// One state of a scope as it was read, with the index over that once it is built.
#[derive(Debug)]
pub(super) struct Growing<S, I> {
    pub(super) state: Arc<S>,
    pub(super) index: OnceLock<Arc<I>>,
    /// The index of an earlier state, which may only need to grow.
    before: Mutex<Option<Before<S, I>>>,
}

/// An earlier state with the index over it.
#[derive(Debug)]
pub(super) struct Before<S, I> {
    pub(super) state: Arc<S>,
    pub(super) index: Arc<I>,
}

impl<S, I> Growing<S, I> {
    /// A state of which the index is not built yet; it may start from that of `before`.
    pub(super) fn new(state: Arc<S>, before: Option<&Self>) -> Self {
        Self {
            state,
            index: OnceLock::new(),
            before: Mutex::new(before.and_then(Self::as_before)),
        }
    }

    /// What the state that comes next may start from.
    fn as_before(&self) -> Option<Before<S, I>> {
        match self.index.get() {
            Some(index) => Some(Before {
                state: self.state.clone(),
                index: index.clone(),
            }),
            None => self.take_before(),
        }
    }

    /// What this state may start from; it is handed out once, so that it need not be copied.
    pub(super) fn take_before(&self) -> Option<Before<S, I>> {
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        before.take()
    }
}
