//! The mutations that are simulated.

use serde_json::{Map, Value, json};

use super::query::Operation;
use super::refusal::Failure;
use super::resolve::Outcome;
use super::store::{Job, Store};

/// What Stash's Go code says when it is asked to run a plugin that is not there.
const NO_PLUGIN: &str = "Internal system error. Error <runtime error: invalid memory address or nil pointer dereference>";

/// The mutations that are simulated.
pub(super) fn mutate(store: &mut Store, operation: &Operation) -> Outcome {
    let mut data = Map::new();
    for field in &operation.selection {
        let text = |name: &str| {
            field
                .arguments
                .get(name)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let plugin = text("plugin_id").unwrap_or_default();
        let value = match field.name.as_str() {
            "runPluginTask" => {
                let args = field
                    .arguments
                    .get("args_map")
                    .cloned()
                    .unwrap_or(Value::Null);
                store.jobs.push(Job {
                    plugin,
                    task: text("task_name"),
                    args,
                });
                store.jobs.len().to_string().into()
            }
            "runPluginOperation" => match store.operations.get(&plugin) {
                Some(answer) => answer.clone(),
                None => {
                    return Err(Failure {
                        message: NO_PLUGIN.to_owned(),
                        field: field.alias.clone(),
                        nullable: true,
                    });
                }
            },
            // The whole map is replaced.
            _ => {
                let input = field
                    .arguments
                    .get("input")
                    .cloned()
                    .unwrap_or_else(|| json!({}));
                store.plugins.insert(plugin, input.clone());
                input
            }
        };
        data.insert(field.alias.clone(), value);
    }
    Ok(Value::Object(data))
}
