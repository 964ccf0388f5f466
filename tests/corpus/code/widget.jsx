// A widget that shows how many
// things there are.
import React from 'react';

const LIMIT = 10;
const format = (value) => String(value);

/**
 * Draws the widget on the screen.
 */
export default function Widget({ items, onClick }) {
  const handler = () => onClick(items);
  return <div onClick={handler}>{items.length}</div>;
}

export class Store extends Base {
  #secret = 1;
  static create() {
    return new Store();
  }
  get size() { return 0; }
  render = () => {
    return null;
  };
}

Store.prototype.clear = function () {
  this.items = [];
};

module.exports.helper = function helper(a) {
  return a;
};

export const api = {
  load(name) {
    return name;
  },
  save: async (name) => {
    return name;
  },
  'delete': function () {},
};

function* walk() {}
