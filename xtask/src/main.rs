//! Generates what is generated, and checks what must hold of the tree.

fn main() {}
