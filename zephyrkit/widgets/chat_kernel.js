// The line to the kernel: is it there, does it answer.

const PATIENCE_MS = 4000; // how long a message may go unheard before we say so

function kernelLine(model, changed, left = "what was said is still here to read") {
  const line = { trouble: "" };
  let timer = 0;
  const manager = model.widget_manager;
  const kernel = manager?.kernel ?? null; // JupyterLab and Notebook 7 have it; elsewhere we can only wait and see
  const gone = `The Python object behind this window is gone; ${left}. ` +
    "Run the cell that made the window again to go on.";

  function say(trouble) {
    if (line.trouble === trouble) return;
    line.trouble = trouble;
    changed();
  }
  function onStatus(_sender, status) {
    if (status === "dead" || status === "terminating") say(`The kernel has stopped. ${gone}`);
    else if (status === "restarting" || status === "autorestarting") say(`The kernel was restarted. ${gone}`);
  }
  const onDisposed = () => say(`The kernel was shut down. ${gone}`);
  kernel?.statusChanged?.connect(onStatus);
  kernel?.disposed?.connect(onDisposed);

  return Object.assign(line, {
    expectAnswer() {
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (!line.trouble) say("The kernel has not answered yet. It may be busy with a cell, or it may have stopped.");
      }, PATIENCE_MS);
    },
    answered() {
      clearTimeout(timer);
      say("");
    },
    sendControl(type, content) {
      if (!kernel?.sendControlMessage) return;
      const header = {
        msg_id: newId(), msg_type: type, version: "5.3",
        session: kernel.clientId, username: kernel.username, date: new Date().toISOString(),
      };
      kernel.sendControlMessage({ header, parent_header: {}, metadata: {}, content, channel: "control", buffers: [] }, false, true);
    },
    leave() {
      clearTimeout(timer);
      kernel?.statusChanged?.disconnect(onStatus);
      kernel?.disposed?.disconnect(onDisposed);
    },
  });
}
