// Makes the drop page quicker. Without it, the forms do the same.
(() => {
  'use strict';
  document.documentElement.classList.add('scripted');
  const header = { 'Gondola-Fragment': '1' };
  const results = document.querySelector('.results');
  const now = document.querySelector('.now');
  const form = document.querySelector('form.drop');
  const say = (text, name) => text.replace('%', () => name);

  // put shows what the server made of something, in place of what stood there. An answer in another form is of nobody who knows this page.
  const put = (place, html) => {
    const box = document.createElement('div');
    box.innerHTML = html;
    place.replaceChildren(...box.childNodes);
    follow(place);
  };
  const fail = (place, text) => {
    const p = document.createElement('p');
    p.className = 'message';
    p.setAttribute('role', 'alert');
    p.textContent = text;
    place.replaceChildren(p);
  };

  // ask sends a form, or looks, and returns the answer.
  const ask = async (url, body) => {
    const answer = await fetch(url, { method: body ? 'POST' : 'GET', body, headers: header });
    if (answer.status === 401) enter();
    return answer.text();
  };
  // enter leads whoever was logged out meanwhile to the login, and from there back to where files are dropped.
  const enter = () => { location.href = '/drop'; };

  // follow looks again and again what has become of a file that was sent.
  const follow = (place) => {
    const fate = place.querySelector('[data-again]');
    if (!fate) return;
    const url = fate.dataset.again;
    const shown = fate.textContent;
    setTimeout(async () => {
      if (!fate.isConnected) return;
      let html;
      try { html = await ask(url); } catch { follow(place); return; } // the daemon restarts, perhaps
      const box = document.createElement('div');
      box.innerHTML = html;
      // What says the same stays, so that nobody is told of it once more.
      if (box.querySelector('[data-again]') && box.querySelector('.fate').textContent === shown) follow(place);
      else put(place, html);
    }, document.hidden ? 5000 : 1000);
  };

  const place = () => {
    const div = document.createElement('div');
    results.prepend(div);
    return div;
  };

  // Forms in results: one that was sent must not take the others from the page.
  if (results) results.addEventListener('submit', async (e) => {
    e.preventDefault();
    const of = e.target.closest('.results > *') || results;
    let at = e.target.closest('.result');
    if (at.parentElement === results) { // it came with the page
      const div = document.createElement('div');
      at.replaceWith(div);
      div.append(at);
    }
    at = at.parentElement || of;
    const body = new URLSearchParams(new FormData(e.target));
    for (const b of at.querySelectorAll('button')) b.disabled = true;
    try {
      put(at, await ask(e.target.action, body));
      at.scrollIntoView({ block: 'nearest' });
    } catch {
      for (const b of at.querySelectorAll('button')) b.disabled = false;
      now.textContent = form ? form.dataset.broken : '';
    }
  });
  if (results) follow(results);
  if (!form) return;

  // Files go one after the other, each with its own result.
  const upload = (file) => new Promise((done) => {
    const at = place();
    if (file.size > Number(form.dataset.max)) { fail(at, form.dataset.large); done(); return; }
    const bar = document.createElement('progress');
    bar.setAttribute('aria-label', say(form.dataset.uploading, file.name));
    at.append(bar);
    now.textContent = say(form.dataset.uploading, file.name);
    const body = new FormData();
    const feed = form.querySelector('[name=feed]');
    if (feed) body.append('feed', feed.value);
    for (const hidden of form.querySelectorAll('input[type=hidden]')) body.append(hidden.name, hidden.value);
    body.append('modified', file.lastModified);
    body.append('file', file, file.name);
    const ask = new XMLHttpRequest(); // fetch does not tell how far an upload is
    ask.open('POST', form.action);
    for (const name in header) ask.setRequestHeader(name, header[name]);
    ask.upload.onprogress = (e) => {
      if (!e.lengthComputable) return;
      bar.max = e.total;
      bar.value = e.loaded;
    };
    ask.upload.onload = () => {
      bar.removeAttribute('value');
      now.textContent = say(form.dataset.looking, file.name);
    };
    ask.onload = () => {
      if (ask.status === 401) { enter(); return; }
      put(at, ask.responseText);
      now.textContent = ask.status < 400 ? say(form.dataset.done, file.name) : ''; // what is wrong is told where it stands
      at.scrollIntoView({ block: 'nearest' });
      done();
    };
    ask.onerror = ask.ontimeout = () => { fail(at, form.dataset.broken); now.textContent = ''; done(); };
    ask.send(body);
  });
  let queue = Promise.resolve();
  const take = (files) => { for (const f of files) queue = queue.then(() => upload(f)); };

  const input = form.querySelector('input[type=file]');
  input.addEventListener('change', () => {
    take([...input.files]);
    input.value = ''; // so that the same file can be chosen again once it is corrected
  });
  form.addEventListener('submit', (e) => { e.preventDefault(); take([...input.files]); });
  const zone = form.querySelector('.zone');
  let depth = 0;
  const over = (by) => { depth = Math.max(0, depth + by); zone.classList.toggle('over', depth > 0); };
  // A file that misses the zone must not take the reader away from the page.
  for (const kind of ['dragover', 'drop']) addEventListener(kind, (e) => { if (e.dataTransfer && e.dataTransfer.types.includes('Files')) e.preventDefault(); });
  zone.addEventListener('dragenter', () => over(1));
  zone.addEventListener('dragleave', () => over(-1));
  addEventListener('drop', (e) => { depth = 0; over(0); if (e.dataTransfer) take([...e.dataTransfer.files]); });
})();
