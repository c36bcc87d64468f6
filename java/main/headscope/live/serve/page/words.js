// The text so far, as tokens that can be clicked.

const PAGE = 2000; // tokens; more slow the browser down

export class Words {
  /** @param pick receives a token's position */
  constructor(root, pick) {
    this.root = root;
    this.words = [];
    this.marked = [];
    this.from = 0;
    this.text = -1;
    root.addEventListener('click', event => {
      const position = event.target.dataset?.token;
      if (position !== undefined) {
        pick(Number(position));
      } else if (event.target.tagName === 'BUTTON') {
        this.#earlier();
      }
    });
  }

  /** @param text LiveText @param view what is picked */
  draw(text, view) {
    if (text.header === null || text.header.text !== this.text) {
      this.root.replaceChildren();
      this.words = [];
      this.from = 0;
      this.text = text.header?.text ?? -1;
    }
    const follows = this.root.scrollTop + this.root.clientHeight >= this.root.scrollHeight - 30;
    this.tokens = text.tokens;
    const fresh = this.words.length === 0;
    if (fresh || text.tokens.length - this.from > 2 * PAGE && follows) {
      this.#show(Math.max(0, text.tokens.length - PAGE));
    }
    for (let i = Math.max(0, text.changedFrom - this.from); i < this.words.length; i++) {
      const name = text.tokens[this.from + i]?.[1] ?? '';
      if (this.words[i].textContent !== name) {
        this.words[i].textContent = name;
      }
    }
    while (this.words.length > text.tokens.length - this.from) {
      this.words.pop().remove();
    }
    for (let token = this.from + this.words.length; token < text.tokens.length; token++) {
      this.words.push(this.root.appendChild(this.#word(token)));
    }
    text.changedFrom = text.tokens.length;
    this.marked.forEach(word => {
      word.className = '';
    });
    this.marked = [];
    this.#mark(text.tokens.length - 1, 'newest');
    this.#mark(view.token, 'picked');
    if (follows || fresh) {
      this.root.scrollTop = this.root.scrollHeight;
    }
  }

  /** @param pages of the visible height, to the end if infinite */
  scroll(pages) {
    const { root } = this;
    root.scrollTop = Math.max(0, Math.min(root.scrollHeight, root.scrollTop + pages * 0.9 * root.clientHeight));
  }

  #mark(token, name) {
    const word = token === null ? undefined : this.words[token - this.from];
    if (word !== undefined) {
      word.className = name;
      this.marked.push(word);
    }
  }

  #word(token) {
    const word = document.createElement('span');
    word.textContent = this.tokens[token][1];
    word.dataset.token = token;
    word.title = `token ${token}`;
    return word;
  }

  #show(from) {
    this.from = from;
    this.words = [];
    this.root.replaceChildren();
    if (from > 0) {
      const button = document.createElement('button');
      button.textContent = `${from} earlier tokens`;
      this.root.append(button);
    }
  }

  #earlier() {
    this.#show(Math.max(0, this.from - PAGE));
    for (let token = this.from; token < this.tokens.length; token++) {
      this.words.push(this.root.appendChild(this.#word(token)));
    }
  }
}
