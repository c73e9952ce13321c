//! Models for MemU: providers that are reached over HTTP, the prompts they are asked with, and
//! what makes memories of their replies.

pub mod understanding;
