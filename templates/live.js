// Keeps the status page up to date: the daemon tells when something is new, the page fetches it and changes what differs, so that
// whoever reads, types or tabs there is not disturbed. It has no words of its own; without it the page reloads itself.
'use strict';

const silentAfter = 45_000; // milliseconds without a word until the daemon counts as away
const againAfter = 15_000; // until one is asked again who closed the stream

const live = document.getElementById('live');
const seen = document.getElementById('seen');
const news = document.getElementById('news');
let heard = new Date(); // the last word
let source, timer, asked;

const now = () => document.getElementById('now');

// What keeps its place among its siblings, "" for what has no name.
function keyOf(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return '';
  if (node.id) return node.id;
  const label = node.getAttribute('aria-labelledby');
  if (label) return node.nodeName + label;
  if (node.nodeName === 'TR' || node.nodeName === 'LI') return node.nodeName + (node.querySelector('th, h3')?.textContent ?? '');
  return '';
}

// The open state that the daemon last gave to what can be unfolded: a reader's own choice stays until the daemon makes another.
const unfolded = new WeakMap();

function attributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && name !== 'open') from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value && name !== 'open') from.setAttribute(name, value);
  }
  if (from.nodeName === 'DETAILS') {
    if (unfolded.has(from) && unfolded.get(from) !== to.open) from.open = to.open;
    unfolded.set(from, to.open);
  }
}

// change makes one node like another, and keeps as much of it as it can.
function change(from, to) {
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  attributes(from, to);
  const names = new Set([...to.childNodes].map(keyOf));
  for (const child of [...from.childNodes]) {
    if (keyOf(child) && !names.has(keyOf(child))) child.remove();
  }
  let at = from.firstChild;
  for (const next of [...to.childNodes]) {
    let match = at;
    while (match && (match.nodeName !== next.nodeName || keyOf(match) !== keyOf(next))) match = match.nextSibling;
    if (!match) {
      from.insertBefore(next, at);
      continue;
    }
    if (match !== at) from.insertBefore(match, at);
    change(match, next);
    at = match.nextSibling;
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

// show puts what was fetched in the place of what is shown.
function show(text) {
  const next = new DOMParser().parseFromString(text, 'text/html').getElementById('now');
  if (!next) return location.reload(); // somebody who may not look any more
  const focused = document.activeElement;
  const before = now().dataset.news;
  change(now(), next);
  document.title = now().dataset.title;
  if (now().dataset.news !== before) news.textContent = now().dataset.news;
  if (focused !== document.activeElement && focused !== document.body) {
    (focused.isConnected ? focused : document.getElementById('main')).focus({ preventScroll: true });
  }
}

// update fetches the page as this reader sees it.
async function update() {
  asked?.abort();
  asked = new AbortController();
  const from = new URL(location.href);
  from.searchParams.set('part', '');
  try {
    const answer = await fetch(from, { signal: asked.signal, redirect: 'manual', cache: 'no-store' });
    if (answer.ok) show(await answer.text());
    else if (answer.status === 503) setTimeout(update, againAfter);
    else location.reload();
  } catch (e) {
    if (e.name !== 'AbortError') away();
  }
}

function here() {
  heard = new Date();
  live.className = 'live on';
  if (live.textContent !== live.dataset.live) live.textContent = live.dataset.live;
}

function away() {
  if (live.className === 'live gone') return;
  live.className = 'live gone';
  const time = heard.toLocaleTimeString(document.documentElement.lang, { hour: '2-digit', minute: '2-digit' });
  live.textContent = live.dataset.gone + ' ' + time;
  news.textContent = live.textContent;
}

function listen() {
  clearTimeout(timer);
  source?.close();
  source = new EventSource('events');
  source.addEventListener('new', e => {
    here();
    if (e.data !== now().dataset.digest) update();
  });
  source.addEventListener('seen', e => {
    here();
    seen.textContent = e.data;
  });
  source.addEventListener('error', () => {
    if (document.hidden) return;
    away();
    if (source.readyState !== EventSource.CLOSED) return;
    timer = setTimeout(listen, againAfter);
    update(); // whoever was logged out is led to the login
  });
}

setInterval(() => {
  if (!document.hidden && new Date() - heard > silentAfter) away();
}, 5_000);

// Nobody works for a page that nobody sees.
document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    clearTimeout(timer);
    source?.close();
  } else {
    listen();
  }
});
addEventListener('pagehide', () => source?.close());
addEventListener('pageshow', e => e.persisted && listen());

// Searching goes on while a reader types.
let typing;
function find(value) {
  const to = new URL(location.href);
  if (value) to.searchParams.set('store', value);
  else to.searchParams.delete('store');
  history.replaceState(null, '', to);
  update();
}
document.addEventListener('input', e => {
  if (e.target.id !== 'store') return;
  clearTimeout(typing);
  typing = setTimeout(() => find(e.target.value), 250);
});
document.addEventListener('submit', e => {
  const field = e.target.querySelector('#store');
  if (!field) return;
  e.preventDefault();
  clearTimeout(typing);
  find(field.value);
});

for (const d of document.querySelectorAll('details')) unfolded.set(d, d.hasAttribute('open'));
listen();
