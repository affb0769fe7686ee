//! Stash's raw plugin protocol and its GraphQL API, for plugin authors.
