// Every served operation of the `anthropic` profile, by the SDK for Node. `drive_operations.mjs` walks them.
import { step } from './steps.mjs';

const MODEL = 'claude-sandbox-4';
const SAID = [{ role: 'user', content: 'hi' }];
const TOOL = { type: 'code_execution_20250825', name: 'code_execution' };
const ONE = { model: MODEL, max_tokens: 64, messages: SAID };
const batch = (params) => [{ custom_id: 'x', params: { ...ONE, ...params } }];

const document = (file) => [{ role: 'user', content: [{ type: 'text', text: 'read' }, { type: 'document', source: { type: 'file', file_id: file } }] }];
const spoken = (events) => events.map((event) => (event.type === 'content_block_delta' && event.delta.type === 'text_delta' ? event.delta.text : '')).join('');
const hears = (got) => got.content[0].text === 'You said: hi';

export const MAKES = [
  step('messages.create', (c) => c.messages.create(ONE), { good: hears }),
  step('messages.create', (c) => c.messages.create({ ...ONE, stream: true }), { good: (got) => spoken(got) === 'You said: hi' }),
  step('messages.create', (c) => c.messages.create({ ...ONE, tools: [TOOL] }), {
    makes: { container: (got) => got.container.id, made: (got) => got.content.at(-1).content.content[0].file_id } }),
  step('files.upload', (c) => c.files.upload({ file: new File(['anteaters eat ants\n'], 'n.txt', { type: 'text/plain' }) }), { makes: 'file' }),
  step('messages.create', (c, { container }) => c.messages.create({ ...ONE, tools: [TOOL], container })),
  step('messages.create', (c, { file }) => c.messages.create({ ...ONE, messages: document(file) })),
  step('messages.count_tokens', (c) => c.messages.countTokens({ model: MODEL, messages: SAID }), { good: (got) => got.input_tokens > 0 }),
  step('messages.count_tokens', (c, { file }) => c.messages.countTokens({ model: MODEL, messages: document(file) })),
  step('files.list', (c) => c.files.list(), { lists: 'file' }),
  step('files.retrieve_metadata', (c, { file }) => c.files.retrieveMetadata(file)),
  step('files.download', (c, { made }) => c.files.download(made), { good: (got) => got === 'made in a container\n' }),
  step('messages.batches.create', (c) => c.messages.batches.create({ requests: batch() }), { makes: 'batch' }),
  step('messages.batches.create', (c, { file }) => c.messages.batches.create({ requests: batch({ messages: document(file) }) })),
  step('messages.batches.create', (c, { container }) => c.messages.batches.create({ requests: batch({ tools: [TOOL], container }) })),
  step('messages.batches.create', (c) => c.messages.batches.create({ requests: batch() }), { makes: 'running' }),
  step('messages.batches.retrieve', (c, { batch: id }) => c.messages.batches.retrieve(id), { ready: (got) => got.processing_status === 'ended' }),
  step('messages.batches.results', (c, { batch: id }) => c.messages.batches.results(id), {
    good: (got) => got.length === 1 && got[0].custom_id === 'x' && hears(got[0].result.message) }),
  // The SDK asks for the batch first, and then for its link; this is the link's own path.
  step('messages.batches.results', (c, { batch: id }) => c.get(`/v1/messages/batches/${id}/results`, { __binaryResponse: true })),
  step('messages.batches.list', (c) => c.messages.batches.list({ limit: 1 }), { lists: 'batch' }),
  step('messages.batches.list', (c, { batch: id }) => c.messages.batches.list({ after_id: id })),
  step('messages.batches.list', (c, { batch: id }) => c.messages.batches.list({ before_id: id })),
  step('models.list', (c) => c.models.list({ limit: 1 }), { good: (got) => got.some(({ id }) => id === MODEL) }),
  step('models.retrieve', (c) => c.models.retrieve(MODEL), { good: (got) => got.id === MODEL }),
  // The beta client asks at the same paths, with `?beta=true`.
  step('messages.create', (c, { file }) => c.beta.messages.create({ ...ONE, messages: document(file), stream: true }), { good: (got) => spoken(got) === 'You said: read' }),
  step('messages.create', (c, { container }) => c.beta.messages.create({ ...ONE, tools: [TOOL], container }), { makes: { later: (got) => got.content.at(-1).content.content[0].file_id } }),
  step('messages.count_tokens', (c, { file }) => c.beta.messages.countTokens({ model: MODEL, messages: document(file) }), { good: (got) => got.input_tokens > 0 }),
  step('messages.batches.create', (c, { file }) => c.beta.messages.batches.create({ requests: batch({ messages: document(file) }) }), { makes: 'betaBatch' }),
  step('messages.batches.retrieve', (c, { betaBatch }) => c.beta.messages.batches.retrieve(betaBatch), { ready: (got) => got.processing_status === 'ended' }),
  step('messages.batches.results', (c, { betaBatch }) => c.beta.messages.batches.results(betaBatch), { good: (got) => got.length === 1 && got[0].custom_id === 'x' }),
  step('messages.batches.list', (c) => c.beta.messages.batches.list({ limit: 1 }), { lists: 'betaBatch' }),
  step('files.upload', (c) => c.beta.files.upload({ file: new File(['more\n'], 'n.txt', { type: 'text/plain' }) }), { makes: 'betaFile' }),
  step('files.list', (c) => c.beta.files.list(), { lists: 'betaFile' }),
  step('files.retrieve_metadata', (c, { betaFile }) => c.beta.files.retrieveMetadata(betaFile)),
  step('files.download', (c, { later }) => c.beta.files.download(later), { good: (got) => got === 'made in a container\n' }),
  step('models.retrieve', (c) => c.beta.models.retrieve(MODEL), { good: (got) => got.id === MODEL }),
];
// No operation trains a model here, so that nobody has one: any that looks trained is somebody else's.
export const NAMED = [
  step('models.retrieve', (c, { trained }) => c.models.retrieve(trained)),
  step('models.list', (c, { trained }) => c.models.list({ after_id: trained })),
  step('messages.create', (c, { trained }) => c.messages.create({ ...ONE, model: trained })),
  step('messages.count_tokens', (c, { trained }) => c.messages.countTokens({ model: trained, messages: SAID })),
  step('messages.batches.create', (c, { trained }) => c.messages.batches.create({ requests: batch({ model: trained }) })),
];
export const ENDS = [
  step('messages.batches.cancel', (c, { running }) => c.messages.batches.cancel(running), { good: (got) => got.processing_status === 'canceling' }),
  step('messages.batches.delete', (c, { batch: id }) => c.messages.batches.delete(id)),
  step('messages.batches.delete', (c, { betaBatch }) => c.beta.messages.batches.delete(betaBatch)),
  step('files.delete', (c, { betaFile }) => c.beta.files.delete(betaFile)),
  step('files.delete', (c, { file }) => c.files.delete(file)),
];
