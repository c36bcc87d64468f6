// The lowest line: what the model does, and what is not shown as it is.

const FORMATS = { f16: '16-bit floats', u8: 'steps of 1/255' };

function size(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** power).toFixed(power > 0 && bytes / 1024 ** power < 100 ? 1 : 0)} ${units[power]}`;
}

/** @param lost what is wrong with the connection, or null */
export function drawStatus(text, dropped, millis, lost) {
  const state = document.getElementById('state');
  const { header, source } = text ?? { header: null };
  const name = lost !== null ? 'lost' : header?.state ?? (text === null ? 'connecting' : 'waiting');
  state.dataset.state = name;
  state.textContent = lost !== null ? 'no connection' : name;
  document.getElementById('played').style.width = `${100 * (header?.played ?? 0)}%`;
  const facts = [];
  if (header !== null) {
    const limit = source.maxNewTokens > 0 ? `, at most ${source.maxNewTokens} new` : '';
    facts.push(`${text.tokens.length} tokens${limit}`);
    if (header.layersRead < source.layers) {
      facts.push(`${header.layersRead} of ${source.layers} layers have read them`);
    }
    if (header.tokensPerSecond !== undefined) {
      facts.push(`${header.tokensPerSecond < 10 ? header.tokensPerSecond.toFixed(1) : Math.round(header.tokensPerSecond)} tokens/s`);
    }
    facts.push(`${millis.toFixed(1)} ms to draw`);
    facts.push(dropped === 1 ? '1 frame dropped' : `${dropped} frames dropped`);
    if (header.skipped !== undefined) {
      facts.push(header.skipped === 1 ? '1 pass skipped' : `${header.skipped} passes skipped`);
    }
    if (header.lost !== undefined) {
      facts.push(header.lost === 1 ? '1 message lost' : `${header.lost} messages lost`);
    }
    facts.push(`cells: ${header.bin === 1 ? '1 x 1 tokens' : `${source.pooling} of ${header.bin} x ${header.bin} tokens`}`
        + ` in ${FORMATS[source.cellFormat]}`);
    facts.push(`memory ${size(header.memoryBytes)}`);
    facts.push(source.device);
    if (header.message !== '') {
      facts.unshift(header.message);
    }
  }
  const line = document.getElementById('status');
  while (line.children.length > facts.length) {
    line.lastChild.remove();
  }
  facts.forEach((fact, i) => {
    const span = line.children[i] ?? line.appendChild(document.createElement('span'));
    if (span.textContent !== fact) {
      span.textContent = fact;
    }
  });
}
