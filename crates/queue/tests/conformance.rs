//! The contract, on disk.

queue_contract::contract!(queue_contract::sqlite::Sqlite);
queue_contract::processes!(queue_contract::sqlite::Sqlite);
