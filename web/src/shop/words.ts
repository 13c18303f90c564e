/** What is said about each outcome, and what a person may do next. docs/outcomes.md says when each is given. */
type Next = 'again' | 'fewer' | 'drops' | 'orders' | 'other-card';

export type Words = { title: string; text: string; next: Next[] };

const refusals: Record<string, Words> = {
  'sold-out': {
    title: 'Gone, for now',
    text: 'Fewer units were left than you asked for when your turn came. Nothing was charged. Held units that are not paid for come back, so it can be worth staying here.',
    next: ['fewer', 'drops'],
  },
  'limit-reached': {
    title: 'That is more than one person may have',
    text: 'With what is in your name already this would be above the limit of this sale. Nothing was charged.',
    next: ['fewer', 'orders'],
  },
  'payment-limit-reached': {
    title: 'That is more than one card may buy',
    text: 'With what was paid for in the same way already this would be above the limit of this sale. Nothing was charged.',
    next: ['fewer', 'orders'],
  },
  'address-limit-reached': {
    title: 'That is more than one address may have',
    text: 'From where you are, or to where it would go, as much has been bought as this sale allows. Nothing was charged.',
    next: ['fewer', 'orders'],
  },
  'decline-limit-reached': {
    title: 'Too many payments were declined',
    text: 'To stop people who try cards that are not theirs, this sale takes no more payments from you. Nothing was charged.',
    next: ['orders', 'drops'],
  },
  'payment-method-required': {
    title: 'Choose how to pay',
    text: 'This sale has to be paid for. Nothing was taken and nothing was charged.',
    next: ['other-card'],
  },
  'limit-key-required': {
    title: 'This sale can not be bought here',
    text: 'It wants to know more than this page may say. Please buy it in the shop itself. Nothing was charged.',
    next: ['drops'],
  },
  'sale-not-open': {
    title: 'The sale is not open',
    text: 'It was closed when your turn came. Nothing was taken; this page shows it at once when it opens.',
    next: ['again', 'drops'],
  },
  'rate-limited': {
    title: 'A little slower, please',
    text: 'Those were more tries than one person gets in a minute, so that everybody has a turn. Trying again cannot buy a second time.',
    next: ['again'],
  },
  overloaded: {
    title: 'Too many people at once',
    text: 'We tried for you several times and did not get a turn. Trying again cannot buy a second time.',
    next: ['again'],
  },
  undecided: {
    title: 'We could not decide this purchase',
    text: 'Trying again cannot buy a second time. If it does not help, please tell the shop.',
    next: ['again'],
  },
  unavailable: {
    title: 'The shop does not answer right now',
    text: 'It is starting again or in trouble. Orders that were accepted are safe.',
    next: ['again'],
  },
  'outcome-unknown': {
    title: 'We do not know yet whether it went through',
    text: 'The connection was lost at the last moment. Asking again cannot buy a second time.',
    next: ['again', 'orders'],
  },
  internal: {
    title: 'Something broke on our side',
    text: 'We do not know yet whether it went through. Asking again cannot buy a second time.',
    next: ['again', 'orders'],
  },
  'payment-declined': {
    title: 'The payment was declined',
    text: 'Nothing was charged. As long as your hold lasts you can try another way to pay.',
    next: ['other-card'],
  },
  'code-expired': {
    title: 'Your hold has run out',
    text: 'The units went back on sale, and nothing was charged. You can try to get them again.',
    next: ['drops'],
  },
  'code-used': {
    title: 'This is bought already',
    text: 'It was paid for before, perhaps in another window. Nothing was charged twice.',
    next: ['orders'],
  },
  'code-not-found': {
    title: 'We can not find this hold',
    text: 'It may belong to another visit. Your orders show what is yours.',
    next: ['orders'],
  },
  'order-ended': {
    title: 'This order has ended',
    text: 'Nothing more can be done with it, and nothing was charged.',
    next: ['drops', 'orders'],
  },
  'order-confirmed': {
    title: 'This order is bought',
    text: 'It was confirmed before it could be cancelled.',
    next: ['orders'],
  },
  'order-not-found': {
    title: 'We can not find this order',
    text: 'It may belong to another visit, or to another browser.',
    next: ['orders', 'drops'],
  },
  'not-authenticated': {
    title: 'Please sign in first',
    text: 'The shop does not know who you are, and keeps every purchase in somebody’s name.',
    next: ['drops'],
  },
  forbidden: {
    title: 'The shop did not accept this request',
    text: 'Please reload the page and try again. Nothing was bought.',
    next: ['again'],
  },
  'token-required': {
    title: 'This sale is for those who came early',
    text: 'It was to be signed up for before it opened. Nothing was taken.',
    next: ['drops'],
  },
  'challenge-required': {
    title: 'This sale asks for a proof of patience',
    text: 'It sells to those whose browser has done a small piece of work, which this page could not do. Nothing was taken.',
    next: ['again', 'drops'],
  },
  'product-not-found': {
    title: 'This drop is gone',
    text: 'The shop does not offer it any more.',
    next: ['drops'],
  },
  'idempotency-key-reused': {
    title: 'Another purchase was under way',
    text: 'It has been found again; your orders show it. Start once more if you want this one too.',
    next: ['orders', 'again'],
  },
};

export const unforeseen: Words = {
  title: 'That did not work',
  text: 'Something is wrong on our side. If the purchase went through after all, your orders show it.',
  next: ['again', 'orders'],
};

const lost: Words = {
  title: 'You seem to be offline',
  text: 'We do not know yet how your purchase ended. It is kept here: asking again can not buy a second time.',
  next: ['again', 'orders'],
};

// A page that was open while the shop or the session changed.
const sameWords: Record<string, string> = {
  csrf: 'forbidden',
  'forbidden-origin': 'forbidden',
  'challenge-failed': 'challenge-required',
};

/** @param slug of a refusal; undefined where no answer came at all. */
export function wordsFor(slug: string | undefined): Words {
  return slug === undefined ? lost : (refusals[sameWords[slug] ?? slug] ?? unforeseen);
}

/** Why nobody can buy, and what comes next. */
export const standings: Record<'upcoming' | 'paused' | 'sold-out' | 'ended', Words> = {
  upcoming: {
    title: 'Not on sale yet',
    text: 'It opens on this page, by itself, when the countdown is over. There is nothing to reload.',
    next: [],
  },
  paused: {
    title: 'Paused for a moment',
    text: 'The shop has stopped the sale, and keeps what is in your name. It goes on here by itself.',
    next: [],
  },
  'sold-out': {
    title: 'All of it is spoken for',
    text: 'Held units that are not paid for come back and are shown here at once, so it can be worth staying.',
    next: ['drops'],
  },
  ended: { title: 'This sale is over', text: 'Thank you to everybody who came.', next: ['drops'] },
};
