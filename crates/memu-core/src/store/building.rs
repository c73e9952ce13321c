use crate::records::OwnedEmbedding;
use crate::scope::Scope;
use crate::store::LogPosition;

/// A vector for a set that is being built.
#[derive(Clone, Debug, PartialEq)]
pub struct BuiltVector {
    /// The vector and its owner.
    pub owned: OwnedEmbedding,
    /// The revision of the owner that was embedded. A record that has changed since
    /// needs another vector, and one that is gone none: both are left out.
    pub revision: u64,
}

/// Up to which change of a scope everything has its vector in a set that is built.
#[derive(Clone, Debug, PartialEq)]
pub struct BuiltScope {
    /// The scope.
    pub scope: Scope,
    /// Where its log was.
    pub position: LogPosition,
}
