//! The language server: the compiler's front end behind the Language Server Protocol, over standard input and output.
//!
//! One thread answers in order. What is typed is parsed at once, declaration by declaration; the whole pipeline is
//! checked, and diagnostics sent, when nothing more has come in. It knows nothing of any editor.

mod answer;
mod complete;
mod document;
mod edit;
mod fields;
mod hover;
mod meanings;
mod names;
mod outside;
mod proposals;
mod symbols;
mod text;
mod wire;
mod world;

use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use lsp_types::notification::{self as note, Notification as _};
use lsp_types::{
    CodeActionKind, CodeActionOptions, CompletionOptions, DidChangeTextDocumentParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, HoverProviderCapability, InitializeParams, MessageType, OneOf, PositionEncodingKind,
    PublishDiagnosticsParams, RenameOptions, ServerCapabilities, ShowMessageParams, TextDocumentSyncCapability,
    TextDocumentSyncKind, TextDocumentSyncOptions, TextDocumentSyncSaveOptions, Uri,
};
use serde_json::{Value, json};

use document::Document;
use text::Encoding;
use world::World;

pub use wire::connect;

/// Serves one client until it says goodbye; `Err` says what was against the protocol.
pub fn serve(connection: &Connection) -> Result<(), String> {
    let (id, params) = connection.initialize_start().map_err(|error| error.to_string())?;
    let params: InitializeParams = serde_json::from_value(params).unwrap_or_default();
    let encoding = agree(&params);
    let answer = json!({
        "capabilities": capabilities(encoding),
        "serverInfo": { "name": "mlpc", "version": env!("CARGO_PKG_VERSION") },
    });
    connection.initialize_finish(id, answer).map_err(|error| error.to_string())?;
    let mut world = World {
        encoding,
        roots: roots(&params),
        open: Default::default(),
        texts: Default::default(),
        told: Vec::new(),
    };
    while let Some(message) = next(connection, &mut world)? {
        match message {
            Message::Request(request) => {
                if connection.handle_shutdown(&request).map_err(|error| error.to_string())? {
                    return Ok(());
                }
                let response = respond(&mut world, request);
                send(connection, response.into())?;
                for message in std::mem::take(&mut world.told) {
                    let params = json!(ShowMessageParams { typ: MessageType::INFO, message });
                    send(connection, Notification::new(note::ShowMessage::METHOD.to_owned(), params).into())?;
                }
            }
            Message::Notification(notification) => notice(connection, &mut world, notification)?,
            Message::Response(_) => {}
        }
    }
    Ok(())
}

/// Takes the next message. Where there is none yet, checks what was typed and sends what is wrong with it first.
fn next(connection: &Connection, world: &mut World) -> Result<Option<Message>, String> {
    if let Ok(message) = connection.receiver.try_recv() {
        return Ok(Some(message));
    }
    let encoding = world.encoding;
    for document in world.open.values_mut().filter(|document| document.is_stale()) {
        let diagnostics = document.diagnostics(encoding);
        publish(connection, document.uri.clone(), diagnostics, document.version)?;
    }
    world.open.values_mut().for_each(Document::sweep);
    Ok(connection.receiver.recv().ok())
}

/// Takes the client's first encoding that is one of ours; UTF-16 where it says none.
fn agree(params: &InitializeParams) -> Encoding {
    let general = params.capabilities.general.as_ref();
    let offered = general.and_then(|general| general.position_encodings.as_deref()).unwrap_or_default();
    let known = offered.iter().find_map(|one| match one.as_str() {
        "utf-8" => Some(Encoding::Utf8),
        "utf-16" => Some(Encoding::Utf16),
        _ => None,
    });
    known.unwrap_or(Encoding::Utf16)
}

#[allow(deprecated, reason = "clients of older versions say where they are by `rootUri`")]
fn roots(params: &InitializeParams) -> Vec<std::path::PathBuf> {
    match &params.workspace_folders {
        Some(folders) => folders.iter().filter_map(|folder| world::path_of(&folder.uri)).collect(),
        None => params.root_uri.iter().filter_map(world::path_of).collect(),
    }
}

fn capabilities(encoding: Encoding) -> ServerCapabilities {
    ServerCapabilities {
        position_encoding: Some(match encoding {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
        }),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(TextDocumentSyncSaveOptions::Supported(true)),
            ..TextDocumentSyncOptions::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        workspace_symbol_provider: Some(OneOf::Left(true)),
        document_formatting_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: Default::default(),
        })),
        code_action_provider: Some(
            CodeActionOptions {
                code_action_kinds: Some(vec![CodeActionKind::QUICKFIX, CodeActionKind::SOURCE_FIX_ALL]),
                ..CodeActionOptions::default()
            }
            .into(),
        ),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some([".", "@", "$", "{", "[", "\"", "/"].map(str::to_owned).to_vec()),
            ..CompletionOptions::default()
        }),
        ..ServerCapabilities::default()
    }
}

fn respond(world: &mut World, request: Request) -> Response {
    match answer::answer(world, &request.method, request.params) {
        Ok(result) => Response::new_ok(request.id, result),
        Err((code, message)) => Response::new_err(request.id, code as i32, message),
    }
}

fn notice(connection: &Connection, world: &mut World, notification: Notification) -> Result<(), String> {
    let Notification { method, params, .. } = notification;
    match method.as_str() {
        note::DidOpenTextDocument::METHOD => {
            if let Some(DidOpenTextDocumentParams { text_document: it }) = read(params) {
                world.moved(&it.uri, Some(it.text.clone()));
                let document = Document::new(it.uri.clone(), Some(it.version), it.text, world.texts.clone());
                world.open.insert(it.uri.to_string(), document);
            }
        }
        note::DidChangeTextDocument::METHOD => {
            let encoding = world.encoding;
            if let Some(DidChangeTextDocumentParams { text_document: it, content_changes }) = read(params)
                && let Some(document) = world.get(&it.uri)
            {
                document.version = Some(it.version);
                document.change(content_changes, encoding);
                let text = document.text().to_owned();
                world.moved(&it.uri, Some(text));
            }
        }
        note::DidCloseTextDocument::METHOD => {
            if let Some(DidCloseTextDocumentParams { text_document: it }) = read(params)
                && world.open.remove(it.uri.as_str()).is_some()
            {
                world.moved(&it.uri, None);
                publish(connection, it.uri, Vec::new(), None)?;
            }
        }
        // What lies around a pipeline may be another thing now.
        note::DidSaveTextDocument::METHOD | note::DidChangeWatchedFiles::METHOD => {
            world.open.values_mut().for_each(Document::folder_moved);
        }
        _ => {}
    }
    Ok(())
}

fn read<T: serde::de::DeserializeOwned>(params: Value) -> Option<T> {
    serde_json::from_value(params).ok()
}

fn publish(
    connection: &Connection,
    uri: Uri,
    diagnostics: Vec<lsp_types::Diagnostic>,
    version: Option<i32>,
) -> Result<(), String> {
    let params = PublishDiagnosticsParams { uri, diagnostics, version };
    send(connection, Notification::new(note::PublishDiagnostics::METHOD.to_owned(), params).into())
}

fn send(connection: &Connection, message: Message) -> Result<(), String> {
    connection.sender.send(message).map_err(|_| "the client went away".to_owned())
}

/// What a request is refused with.
type Refusal = (ErrorCode, String);
