// Starts `mlpc lsp` and hands the rest to the language client.
"use strict";

const { commands, workspace, window } = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

let client;

async function start() {
  const command = workspace.getConfiguration("mlpc").get("path", "mlpc");
  const server = { command, args: ["lsp"], transport: TransportKind.stdio };
  // What the server looks at beside the open texts: modules, files of parameters, the lock, code.
  const fileEvents = workspace.createFileSystemWatcher("**/*.{mlp,yaml,yml,json,lock,py}");
  const options = { documentSelector: [{ language: "mlp" }], synchronize: { fileEvents } };
  client = new LanguageClient("mlpc", "mlpc", server, options);
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    window.showErrorMessage(`mlpc: \`${command} lsp\` did not start: ${error.message}. Say where it is in the setting mlpc.path.`);
  }
}

async function stop() {
  const running = client;
  client = undefined;
  await running?.stop();
}

exports.activate = async (context) => {
  const again = async () => {
    await stop();
    await start();
  };
  context.subscriptions.push(commands.registerCommand("mlpc.restart", again));
  context.subscriptions.push(
    workspace.onDidChangeConfiguration((event) => (event.affectsConfiguration("mlpc.path") ? again() : undefined)),
  );
  await start();
};

exports.deactivate = stop;
