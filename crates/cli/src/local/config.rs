//! Reading a node's configuration, with a plain reason when it cannot be used.

use std::path::Path;

use zhulian_node::{Config, config::ConfigError};

use crate::{
    failure::{Exit, Failure, Result, io_reason},
    text,
    text::Text,
};

/// The configuration in a file, with absolute paths.
///
/// # Errors
/// When it is not there, or cannot be used.
pub fn read_config(path: &Path) -> Result<Config> {
    Config::read(path).map_err(|error| {
        let shown = path.display();
        if let ConfigError::Read { source, .. } = &error
            && source.kind() == std::io::ErrorKind::NotFound
        {
            return Failure::new(
                Exit::Usage,
                "node.no_config",
                text!("没有节点配置文件 {shown}", "there is no node configuration {shown}"),
            )
            .next(Text::fixed(
                "请指定 node.json 所在的节点目录；zhulian up 的各节点在其目录下的 nodes/1 至 nodes/4",
                "name a node's directory, the one with node.json; those of `zhulian up` are nodes/1 to nodes/4 in its directory",
            ));
        }
        Failure::new(
            Exit::Usage,
            "node.config",
            text!("节点配置 {shown} 无法使用", "the node configuration {shown} cannot be used"),
        )
        .why(reason(&error))
        .next(Text::fixed("改正配置文件后重试", "correct the file and try again"))
    })
}

fn reason(error: &ConfigError) -> Text {
    match error {
        ConfigError::Read { source, .. } => io_reason(source),
        ConfigError::Parse { source, .. } => {
            text!("不是所需格式的 JSON（{source}）", "it is not JSON of the form wanted: {source}")
        }
        other => text!("配置项不合要求（{other}）", "{other}"),
    }
}
