//! One function for each request: reads its parameters, asks the document, gives back what the protocol wants.

use std::path::Path;

use lsp_server::ErrorCode;
use lsp_types::request::{self as ask, Request as _};
use lsp_types::{
    CodeActionParams, CompletionParams, DocumentFormattingParams, DocumentSymbolParams, GotoDefinitionParams,
    HoverParams, Location, ReferenceParams, RenameParams, TextDocumentPositionParams, WorkspaceSymbolParams,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::names::{Names, Occurrence};
use super::world::{World, uri_of};
use super::{Refusal, complete, edit, hover, symbols, text};
use crate::source::FileId;

/// Answers a request.
pub(super) fn answer(world: &mut World, method: &str, params: Value) -> Result<Value, Refusal> {
    match method {
        ask::HoverRequest::METHOD => written(hover(world, &read(params)?)),
        ask::GotoDefinition::METHOD => written(definition(world, &read(params)?)),
        ask::References::METHOD => written(references(world, &read(params)?)),
        ask::DocumentSymbolRequest::METHOD => {
            let params: DocumentSymbolParams = read(params)?;
            let encoding = world.encoding;
            written(world.get(&params.text_document.uri).map(|document| symbols::of(document, encoding)))
        }
        ask::WorkspaceSymbolRequest::METHOD => {
            let params: WorkspaceSymbolParams = read(params)?;
            written(symbols::search(world, &params.query))
        }
        ask::Completion::METHOD => written(completion(world, &read(params)?)),
        ask::Formatting::METHOD => {
            let params: DocumentFormattingParams = read(params)?;
            let encoding = world.encoding;
            written(world.get(&params.text_document.uri).and_then(|document| edit::format(document, encoding)))
        }
        ask::PrepareRenameRequest::METHOD => {
            let params: TextDocumentPositionParams = read(params)?;
            let encoding = world.encoding;
            let range = world.get(&params.text_document.uri).and_then(|document| {
                let document = &*document.link();
                let offset = text::offset(document.source(), params.position, encoding) as u32;
                let one = Names::of(document).at(offset)?;
                Some(text::range(document.source(), one.span, encoding))
            });
            written(range)
        }
        ask::Rename::METHOD => {
            let params: RenameParams = read(params)?;
            written(edit::rename(world, &params)?)
        }
        ask::CodeActionRequest::METHOD => {
            let params: CodeActionParams = read(params)?;
            let encoding = world.encoding;
            written(
                world.get(&params.text_document.uri).map(|document| edit::actions(document, params.range, encoding)),
            )
        }
        _ => Err((ErrorCode::MethodNotFound, format!("mlpc does not answer `{method}`"))),
    }
}

fn read<T: DeserializeOwned>(params: Value) -> Result<T, Refusal> {
    serde_json::from_value(params).map_err(|error| (ErrorCode::InvalidParams, error.to_string()))
}

fn written(result: impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(result).map_err(|error| (ErrorCode::InternalError, error.to_string()))
}

fn hover(world: &mut World, params: &HoverParams) -> Option<lsp_types::Hover> {
    let encoding = world.encoding;
    let at = &params.text_document_position_params;
    let document = world.get(&at.text_document.uri)?;
    let offset = text::offset(document.source(), at.position, encoding);
    hover::at(document, offset, encoding)
}

fn completion(world: &mut World, params: &CompletionParams) -> Option<Vec<lsp_types::CompletionItem>> {
    let encoding = world.encoding;
    let at = &params.text_document_position;
    let document = world.get(&at.text_document.uri)?;
    let offset = text::offset(document.source(), at.position, encoding);
    Some(complete::at(document.link(), offset))
}

fn definition(world: &mut World, params: &GotoDefinitionParams) -> Option<Vec<Location>> {
    let at = &params.text_document_position_params;
    let encoding = world.encoding;
    let document = &*world.get(&at.text_document.uri)?.link();
    let offset = text::offset(document.source(), at.position, encoding) as u32;
    let names = Names::of(document);
    let one = names.at(offset)?;
    let declares = |other: &&Occurrence<'_>| other.declares && other.symbol == one.symbol;
    // What comes by `use` is declared in the other file.
    let home = names.home(one.symbol.owner()).filter(|id| *id != FileId(0));
    if let Some((id, there)) = home.and_then(|id| Some((id, Names::in_module(document, id)?))) {
        let file = document.source_of(id);
        let uri = uri_of(Path::new(file.name()))?;
        let places = there.all.iter().filter(declares);
        let places = places.map(|other| Location::new(uri.clone(), text::range(file, other.span, encoding)));
        let places: Vec<Location> = places.collect();
        if !places.is_empty() {
            return Some(places);
        }
    }
    let places = names.all.iter().filter(declares);
    let place = |span| Location::new(document.uri.clone(), text::range(document.source(), span, encoding));
    Some(places.map(|other| place(other.span)).collect())
}

fn references(world: &mut World, params: &ReferenceParams) -> Option<Vec<Location>> {
    let encoding = world.encoding;
    let at = &params.text_document_position;
    let places = edit::everywhere(world, &at.text_document.uri, at.position)?;
    let mut found = Vec::new();
    for (uri, places) in places {
        for (span, declares) in places {
            if params.context.include_declaration || !declares {
                let location = edit::with_uri(world, &uri, |document| {
                    Location::new(document.uri.clone(), text::range(document.source(), span, encoding))
                });
                found.extend(location);
            }
        }
    }
    Some(found)
}
