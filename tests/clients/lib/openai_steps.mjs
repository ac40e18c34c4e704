// Every served operation of the `openai` profile, by the SDK for Node. `drive_operations.mjs` walks them.
import { step } from './steps.mjs';

const BASE = 'gpt-4o-mini-2024-07-18';
const LINE = '{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]}\n';
const REQUEST = { custom_id: 'x', method: 'POST', url: '/v1/chat/completions', body: { model: BASE, messages: [{ role: 'user', content: 'hi' }] } };
const TOOL = { type: 'function', function: { name: 'look_up', parameters: { type: 'object', properties: { query: { type: 'string' } } } } };
const GRADER = { type: 'score_model', name: 'g', input: [{ role: 'user', content: 'rate' }] };
const CRITERION = { type: 'string_check', name: 'same', input: '{{item.a}}', reference: 'b', operation: 'eq' };
const CONFIG = { type: 'custom', item_schema: { type: 'object', properties: { a: { type: 'string' } } }, include_sample_schema: false };
const ENDPOINT = { endpoint: '/v1/chat/completions', completion_window: '24h' };
const OPEN = { bytes: 5, filename: 'x.txt', mime_type: 'text/plain', purpose: 'user_data' };
const RUN_ENDS = ['thread.run.completed', 'thread.run.requires_action', 'done'];
const PICTURE = () => new File([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Uint8Array.from({ length: 64 }, (_, n) => n)], 'a.png', { type: 'image/png' });
const SOUND = () => new File(['RIFF good morning'], 'a.wav', { type: 'audio/wav' });

const text = (name, content) => new File([content], name, { type: 'text/plain' });
const user = (content) => [{ role: 'user', content }];
const message = (content) => [{ type: 'message', ...user(content)[0] }];
const is = (name, wanted) => (got) => got[name] === wanted;
const deleted = is('deleted', true);
const said = (chunks) => chunks.flatMap((chunk) => chunk.choices).map((choice) => choice.delta.content ?? '').join('');
const last = (...kinds) => (events) => kinds.includes(events.at(-1).event ?? events.at(-1).type);

// What the run asks is known to its owner alone; with another's run or thread any answer will do.
async function answerTools(c, { thread, waiting }) {
  const run = await c.beta.threads.runs.retrieve(waiting, { thread_id: thread }).catch(() => null);
  const calls = run?.required_action?.submit_tool_outputs?.tool_calls;
  const outputs = Array.isArray(calls) ? calls.map((call) => ({ tool_call_id: call.id, output: 'found' })) : [{ tool_call_id: 'call_x', output: 'found' }];
  return c.beta.threads.runs.submitToolOutputs(waiting, { thread_id: thread, tool_outputs: outputs });
}

const FILES = [
  step('createFile', (c) => c.files.create({ file: text('t.jsonl', LINE), purpose: 'fine-tune' }), { makes: 'file' }),
  step('createFile', (c) => c.files.create({ file: text('b.jsonl', `${JSON.stringify(REQUEST)}\n`), purpose: 'batch' }), { makes: 'lines' }),
  step('createFile', (c) => c.files.create({ file: text('n.md', 'anteaters eat ants\n'), purpose: 'assistants' }), { makes: 'notes' }),
  step('listFiles', (c) => c.files.list({ limit: 1 }), { lists: 'file' }),
  step('listFiles', (c, { notes }) => c.files.list({ after: notes })),
  step('retrieveFile', (c, { file }) => c.files.retrieve(file)),
  step('downloadFile', (c, { file }) => c.files.content(file), { good: (got) => got === LINE }),
  step('createUpload', (c) => c.uploads.create(OPEN), { makes: 'upload' }),
  step('addUploadPart', (c, { upload }) => c.uploads.parts.create(upload, { data: text('part', 'hello') }), { makes: 'part' }),
  step('createUpload', (c) => c.uploads.create(OPEN), { makes: 'open' }),
];
const TRAINING = [
  step('createFineTuningJob', (c, { file }) => c.fineTuning.jobs.create({ model: BASE, training_file: file, validation_file: file, suffix: 'whole' }), { makes: 'job' }),
  step('retrieveFineTuningJob', (c, { job }) => c.fineTuning.jobs.retrieve(job), {
    ready: is('status', 'succeeded'), makes: { model: (got) => got.fine_tuned_model, result: (got) => got.result_files[0] } }),
  step('listPaginatedFineTuningJobs', (c) => c.fineTuning.jobs.list({ limit: 1 }), { lists: 'job' }),
  step('listPaginatedFineTuningJobs', (c, { job }) => c.fineTuning.jobs.list({ after: job })),
  step('listFineTuningEvents', (c, { job }) => c.fineTuning.jobs.listEvents(job, { limit: 2 }), { makes: { event: (got) => got[0].id } }),
  step('listFineTuningEvents', (c, { job, event }) => c.fineTuning.jobs.listEvents(job, { after: event })),
  step('listFineTuningJobCheckpoints', (c, { job }) => c.fineTuning.jobs.checkpoints.list(job, { limit: 1 }), {
    makes: { checkpoint: (got) => got[0].fine_tuned_model_checkpoint, point: (got) => got[0].id } }),
  step('listFineTuningJobCheckpoints', (c, { job, point }) => c.fineTuning.jobs.checkpoints.list(job, { after: point })),
  step('downloadFile', (c, { result }) => c.files.content(result), { good: (got) => got.startsWith('step,') }),
  step('createFineTuningJob', (c, { model, file }) => c.fineTuning.jobs.create({ model, training_file: file }), { makes: 'second' }),
  step('pauseFineTuningJob', (c, { second }) => c.fineTuning.jobs.pause(second), { good: is('status', 'paused') }),
  step('resumeFineTuningJob', (c, { second }) => c.fineTuning.jobs.resume(second)),
  step('runGrader', (c, { model }) => c.fineTuning.alpha.graders.run({ grader: { ...GRADER, model }, model_sample: 'b', item: { a: 'b' } }), { good: is('reward', 1) }),
  step('validateGrader', (c, { model }) => c.fineTuning.alpha.graders.validate({ grader: { ...GRADER, model } }), { good: (got) => got.grader.name === 'g' }),
  step('listModels', (c) => c.models.list(), { lists: 'model' }),
  step('retrieveModel', (c, { model }) => c.models.retrieve(model)),
  step('retrieveModel', (c, { checkpoint }) => c.models.retrieve(checkpoint)),
  step('createBatch', (c, { lines }) => c.batches.create({ input_file_id: lines, ...ENDPOINT }), { makes: 'batch' }),
  step('retrieveBatch', (c, { batch }) => c.batches.retrieve(batch), { ready: is('status', 'completed'), makes: { output: (got) => got.output_file_id } }),
  step('downloadFile', (c, { output }) => c.files.content(output), { good: (got) => got.includes('You said: hi') }),
  step('createBatch', (c, { lines }) => c.batches.create({ input_file_id: lines, ...ENDPOINT }), { makes: 'next' }),
  step('listBatches', (c) => c.batches.list({ limit: 1 }), { lists: 'batch' }),
  step('listBatches', (c, { batch }) => c.batches.list({ after: batch })),
];
const STORES = [
  step('createVectorStore', (c, { notes }) => c.vectorStores.create({ name: 'notes', file_ids: [notes] }), { makes: 'store' }),
  step('listVectorStores', (c) => c.vectorStores.list({ limit: 1 }), { lists: 'store' }),
  step('listVectorStores', (c, { store }) => c.vectorStores.list({ after: store })),
  step('listVectorStores', (c, { store }) => c.vectorStores.list({ before: store })),
  step('getVectorStore', (c, { store }) => c.vectorStores.retrieve(store)),
  step('modifyVectorStore', (c, { store }) => c.vectorStores.update(store, { name: 'other' }), { good: is('name', 'other') }),
  step('createVectorStoreFile', (c, { store, file }) => c.vectorStores.files.create(store, { file_id: file })),
  step('searchVectorStore', (c, { store }) => c.vectorStores.search(store, { query: 'anteaters' }), { good: (got) => got[0].content[0].text.includes('anteaters') }),
  step('listVectorStoreFiles', (c, { store }) => c.vectorStores.files.list(store, { limit: 1 }), { lists: 'notes' }),
  step('listVectorStoreFiles', (c, { store, notes }) => c.vectorStores.files.list(store, { after: notes })),
  step('getVectorStoreFile', (c, { store, notes }) => c.vectorStores.files.retrieve(notes, { vector_store_id: store })),
  step('updateVectorStoreFileAttributes', (c, { store, notes }) => c.vectorStores.files.update(notes, { vector_store_id: store, attributes: { k: 'v' } })),
  step('retrieveVectorStoreFileContent', (c, { store, notes }) => c.vectorStores.files.content(notes, { vector_store_id: store })),
  step('createVectorStoreFileBatch', (c, { store, notes, file }) => c.vectorStores.fileBatches.create(store, { file_ids: [notes, file] }), { makes: 'group' }),
  step('createVectorStoreFileBatch', (c, { store, notes }) => c.vectorStores.fileBatches.create(store, { files: [{ file_id: notes }] })),
  step('getVectorStoreFileBatch', (c, { store, group }) => c.vectorStores.fileBatches.retrieve(group, { vector_store_id: store })),
  step('listFilesInVectorStoreBatch', (c, { store, group }) => c.vectorStores.fileBatches.listFiles(group, { vector_store_id: store }), { lists: 'notes' }),
  step('listFilesInVectorStoreBatch', (c, { store, group, notes }) => c.vectorStores.fileBatches.listFiles(group, { vector_store_id: store, after: notes })),
];
const CHAT = [
  step('createChatCompletion', (c, { model }) => c.chat.completions.create({ model, messages: user('hi'), store: true }), {
    makes: 'chat', good: (got) => got.choices[0].message.content === 'You said: hi' }),
  step('createChatCompletion', (c, { model }) => c.chat.completions.create({ model, messages: user('hi'), stream: true }), { good: (got) => said(got) === 'You said: hi' }),
  step('createChatCompletion', (c, { checkpoint, file }) => c.chat.completions.create({
    model: checkpoint, messages: user([{ type: 'text', text: 'read' }, { type: 'file', file: { file_id: file } }]) })),
  step('listChatCompletions', (c) => c.chat.completions.list({ limit: 1 }), { lists: 'chat' }),
  step('listChatCompletions', (c, { chat }) => c.chat.completions.list({ after: chat })),
  step('listChatCompletions', (c, { model }) => c.chat.completions.list({ model })),
  step('getChatCompletion', (c, { chat }) => c.chat.completions.retrieve(chat)),
  step('updateChatCompletion', (c, { chat }) => c.chat.completions.update(chat, { metadata: { k: 'v' } }), { good: (got) => got.metadata.k === 'v' }),
  step('getChatCompletionMessages', (c, { chat }) => c.chat.completions.messages.list(chat), { makes: { message: (got) => got[0].id } }),
  step('getChatCompletionMessages', (c, { chat, message: from }) => c.chat.completions.messages.list(chat, { after: from })),
  step('createResponse', (c, { model }) => c.responses.create({ model, input: 'hi', store: true }), { makes: 'response', good: is('output_text', 'You said: hi') }),
  step('createResponse', (c, { model }) => c.responses.create({ model, input: 'hi', stream: true }), {
    good: (got) => got[0].type === 'response.created' && got.at(-1).type === 'response.completed' }),
  step('createResponse', (c, { response, store }) => c.responses.create({
    model: BASE, input: 'again', previous_response_id: response, tools: [{ type: 'file_search', vector_store_ids: [store] }] })),
  step('createResponse', (c, { file }) => c.responses.create({ model: BASE, input: user([{ type: 'input_file', file_id: file }]) })),
  step('createResponse', (c) => c.responses.create({ model: BASE, input: 'later', background: true, store: true }), { makes: 'later' }),
  step('getResponse', (c, { response }) => c.responses.retrieve(response)),
  step('getResponse', (c, { response }) => c.responses.retrieve(response, { stream: true }), { good: last('response.completed') }),
  step('listInputItems', (c, { response }) => c.responses.inputItems.list(response), { makes: { item: (got) => got[0].id } }),
  step('listInputItems', (c, { response, item }) => c.responses.inputItems.list(response, { after: item })),
  step('Getinputtokencounts', (c, { model }) => c.responses.inputTokens.count({ model, input: 'four' })),
  step('Compactconversation', (c, { response }) => c.responses.compact({ model: BASE, input: 'x', previous_response_id: response })),
];
const ASSISTANTS = [
  step('createAssistant', (c, { model }) => c.beta.assistants.create({ model, tools: [TOOL] }), { makes: 'assistant' }),
  step('createAssistant', (c, { store }) => c.beta.assistants.create({ model: BASE, tool_resources: { file_search: { vector_store_ids: [store] } } })),
  step('listAssistants', (c) => c.beta.assistants.list({ limit: 1 }), { lists: 'assistant' }),
  step('listAssistants', (c, { assistant }) => c.beta.assistants.list({ after: assistant })),
  step('getAssistant', (c, { assistant }) => c.beta.assistants.retrieve(assistant)),
  step('modifyAssistant', (c, { assistant, model }) => c.beta.assistants.update(assistant, { model, name: 'n' }), { good: is('name', 'n') }),
  step('createThread', (c, { file }) => c.beta.threads.create({
    messages: [{ role: 'user', content: 'hi', attachments: [{ file_id: file, tools: [{ type: 'file_search' }] }] }] }), { makes: 'thread' }),
  step('getThread', (c, { thread }) => c.beta.threads.retrieve(thread)),
  step('modifyThread', (c, { thread }) => c.beta.threads.update(thread, { metadata: { k: 'v' } })),
  step('createMessage', (c, { thread }) => c.beta.threads.messages.create(thread, { role: 'user', content: 'hello' }), { makes: 'said' }),
  step('listMessages', (c, { thread }) => c.beta.threads.messages.list(thread, { limit: 1 }), { lists: 'said' }),
  step('listMessages', (c, { thread, said: from }) => c.beta.threads.messages.list(thread, { after: from })),
  step('getMessage', (c, { thread, said: one }) => c.beta.threads.messages.retrieve(one, { thread_id: thread })),
  step('modifyMessage', (c, { thread, said: one }) => c.beta.threads.messages.update(one, { thread_id: thread, metadata: { k: 'v' } })),
  step('createRun', (c, { thread, assistant }) => c.beta.threads.runs.create(thread, { assistant_id: assistant }), { makes: 'run' }),
  step('createRun', (c, { thread, assistant }) => c.beta.threads.runs.create(thread, { assistant_id: assistant, stream: true }), {
    good: last(...RUN_ENDS) }),
  step('listRuns', (c, { thread }) => c.beta.threads.runs.list(thread, { limit: 1 }), { lists: 'run' }),
  step('listRuns', (c, { thread, run }) => c.beta.threads.runs.list(thread, { after: run })),
  step('getRun', (c, { thread, run }) => c.beta.threads.runs.retrieve(run, { thread_id: thread })),
  step('modifyRun', (c, { thread, run }) => c.beta.threads.runs.update(run, { thread_id: thread, metadata: { k: 'v' } })),
  step('listRunSteps', (c, { thread, run }) => c.beta.threads.runs.steps.list(run, { thread_id: thread }), { makes: { step: (got) => got[0].id } }),
  step('listRunSteps', (c, { thread, run, step: from }) => c.beta.threads.runs.steps.list(run, { thread_id: thread, after: from })),
  step('getRunStep', (c, { thread, run, step: one }) => c.beta.threads.runs.steps.retrieve(one, { thread_id: thread, run_id: run })),
  step('createMessage', (c, { thread }) => c.beta.threads.messages.create(thread, { role: 'user', content: 'call a tool' })),
  step('createRun', (c, { thread, assistant }) => c.beta.threads.runs.create(thread, { assistant_id: assistant }), { makes: 'waiting', good: is('status', 'requires_action') }),
  step('submitToolOuputsToRun', answerTools),
  step('createMessage', (c, { thread }) => c.beta.threads.messages.create(thread, { role: 'user', content: 'call a tool' })),
  step('createRun', (c, { thread, assistant }) => c.beta.threads.runs.create(thread, { assistant_id: assistant }), { makes: 'stopped', good: is('status', 'requires_action') }),
  step('createThreadAndRun', (c, { assistant }) => c.beta.threads.createAndRun({ assistant_id: assistant, thread: { messages: user('hi') } }), {
    makes: { otherThread: (got) => got.thread_id } }),
  step('createThreadAndRun', (c, { assistant }) => c.beta.threads.createAndRun({ assistant_id: assistant, thread: { messages: user('hi') }, stream: true }), {
    makes: { streamedThread: (got) => got.find(({ event }) => event === 'thread.created').data.id }, good: last(...RUN_ENDS) }),
  step('getThread', (c, { streamedThread }) => c.beta.threads.retrieve(streamedThread)),
  step('getThread', (c, { otherThread }) => c.beta.threads.retrieve(otherThread)),
];
const CONVERSATIONS = [
  step('createConversation', (c) => c.conversations.create({ items: message('hi') }), { makes: 'talk' }),
  step('createConversation', (c, { file }) => c.conversations.create({ items: message([{ type: 'input_file', file_id: file }]) })),
  step('getConversation', (c, { talk }) => c.conversations.retrieve(talk)),
  step('updateConversation', (c, { talk }) => c.conversations.update(talk, { metadata: { k: 'v' } })),
  step('createConversationItems', (c, { talk }) => c.conversations.items.create(talk, { items: message('more') }), { makes: { entry: (got) => got.data[0].id } }),
  step('createConversationItems', (c, { talk, file }) => c.conversations.items.create(talk, { items: message([{ type: 'input_file', file_id: file }]) })),
  step('listConversationItems', (c, { talk }) => c.conversations.items.list(talk, { limit: 1 }), { lists: 'entry' }),
  step('listConversationItems', (c, { talk, entry }) => c.conversations.items.list(talk, { after: entry })),
  step('getConversationItem', (c, { talk, entry }) => c.conversations.items.retrieve(entry, { conversation_id: talk })),
  step('createResponse', (c, { talk }) => c.responses.create({ model: BASE, input: 'in it', conversation: talk })),
];
const CONTAINERS = [
  step('CreateContainer', (c, { file }) => c.containers.create({ name: 'box', file_ids: [file] }), { makes: 'box' }),
  step('ListContainers', (c) => c.containers.list({ limit: 1 }), { lists: 'box' }),
  step('ListContainers', (c, { box }) => c.containers.list({ after: box })),
  step('RetrieveContainer', (c, { box }) => c.containers.retrieve(box)),
  step('CreateContainerFile', (c, { box }) => c.containers.files.create(box, { file: text('x.txt', 'hello') }), { makes: 'inner' }),
  step('CreateContainerFile_json', (c, { box, file }) => c.post(`/containers/${box}/files`, { body: { file_id: file } })),
  step('ListContainerFiles', (c, { box }) => c.containers.files.list(box, { limit: 1 }), { lists: 'inner' }),
  step('ListContainerFiles', (c, { box, inner }) => c.containers.files.list(box, { after: inner })),
  step('RetrieveContainerFile', (c, { box, inner }) => c.containers.files.retrieve(inner, { container_id: box })),
  step('RetrieveContainerFileContent', (c, { box, inner }) => c.containers.files.content.retrieve(inner, { container_id: box }), { good: (got) => got === 'hello' }),
];
const EVALS = [
  step('createEval', (c) => c.evals.create({ name: 'e', data_source_config: CONFIG, testing_criteria: [CRITERION] }), { makes: 'evaluation' }),
  step('createEval', (c, { model }) => c.evals.create({ name: 'e', data_source_config: CONFIG, testing_criteria: [{ ...GRADER, model }] })),
  step('listEvals', (c) => c.evals.list({ limit: 1 }), { lists: 'evaluation' }),
  step('listEvals', (c, { evaluation }) => c.evals.list({ after: evaluation })),
  step('getEval', (c, { evaluation }) => c.evals.retrieve(evaluation)),
  step('updateEval', (c, { evaluation }) => c.evals.update(evaluation, { name: 'f' }), { good: is('name', 'f') }),
  step('createEvalRun', (c, { evaluation }) => c.evals.runs.create(evaluation, {
    name: 'r', data_source: { type: 'jsonl', source: { type: 'file_content', content: [{ item: { a: 'b' } }] } } }), { makes: 'trial' }),
  step('createEvalRun', (c, { evaluation, file }) => c.evals.runs.create(evaluation, { name: 'r', data_source: { type: 'jsonl', source: { type: 'file_id', id: file } } })),
  step('getEvalRuns', (c, { evaluation }) => c.evals.runs.list(evaluation, { limit: 1 }), { lists: 'trial' }),
  step('getEvalRuns', (c, { evaluation, trial }) => c.evals.runs.list(evaluation, { after: trial })),
  step('getEvalRun', (c, { evaluation, trial }) => c.evals.runs.retrieve(trial, { eval_id: evaluation })),
  step('getEvalRunOutputItems', (c, { evaluation, trial }) => c.evals.runs.outputItems.list(trial, { eval_id: evaluation }), { makes: { outcome: (got) => got[0].id } }),
  step('getEvalRunOutputItems', (c, { evaluation, trial, outcome }) => c.evals.runs.outputItems.list(trial, { eval_id: evaluation, after: outcome })),
  step('getEvalRunOutputItem', (c, { evaluation, trial, outcome }) => c.evals.runs.outputItems.retrieve(outcome, { eval_id: evaluation, run_id: trial })),
];
// Models of everybody's answer here; a model of the tenant's is asked for in the steps above, and in `NAMED`.
const OTHERS = [
  step('createCompletion', (c) => c.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: 'Once' })),
  step('createCompletion', (c) => c.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: 'Once', stream: true }), {
    good: (got) => got.map((each) => each.choices[0].text).join('').includes('Once') }),
  step('createEmbedding', (c) => c.embeddings.create({ model: 'text-embedding-3-small', input: 'one', dimensions: 8 }), { good: (got) => got.data[0].embedding.length === 8 }),
  step('createModeration', (c) => c.moderations.create({ input: 'hello' }), { good: (got) => got.results[0].flagged === false }),
  step('createImage', (c) => c.images.generate({ model: 'gpt-image-1', prompt: 'a point' })),
  step('createImageEdit', (c) => c.images.edit({ model: 'gpt-image-1', image: PICTURE(), prompt: 'x' })),
  step('createImageEdit_json', (c, { file }) => c.post('/images/edits', { body: { model: 'gpt-image-1', prompt: 'x', images: [{ file_id: file }] } })),
  step('createImageVariation', (c) => c.images.createVariation({ model: 'dall-e-3', image: PICTURE() })),
  step('createSpeech', (c) => c.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'hi' }), { good: (got) => got.endsWith('hi') }),
  step('createTranscription', (c) => c.audio.transcriptions.create({ model: 'whisper-1', file: SOUND() })),
  step('createTranscription', (c) => c.audio.transcriptions.create({ model: 'gpt-4o-transcribe', file: SOUND(), stream: true }), {
    good: (got) => got.at(-1).type === 'transcript.text.done' && got.slice(0, -1).map(({ delta }) => delta).join('') === got.at(-1).text }),
  step('createTranslation', (c) => c.audio.translations.create({ model: 'whisper-1', file: SOUND() })),
];
export const NAMED = [
  step('createCompletion', (c, { model }) => c.completions.create({ model, prompt: 'hi' })),
  step('createEmbedding', (c, { model }) => c.embeddings.create({ model, input: 'hi' })),
  step('createModeration', (c, { model }) => c.moderations.create({ model, input: 'hi' })),
  step('createImage', (c, { model }) => c.images.generate({ model, prompt: 'hi' })),
  step('createImageEdit', (c, { model }) => c.images.edit({ model, image: PICTURE(), prompt: 'x' })),
  step('createImageVariation', (c, { model }) => c.images.createVariation({ model, image: PICTURE() })),
  step('createSpeech', (c, { model }) => c.audio.speech.create({ model, voice: 'alloy', input: 'hi' })),
  step('createTranscription', (c, { model }) => c.audio.transcriptions.create({ model, file: SOUND() })),
  step('createTranslation', (c, { model }) => c.audio.translations.create({ model, file: SOUND() })),
];
export const ENDS = [
  step('completeUpload', (c, { upload, part }) => c.uploads.complete(upload, { part_ids: [part] }), { good: is('status', 'completed') }),
  step('cancelUpload', (c, { open }) => c.uploads.cancel(open), { good: is('status', 'cancelled') }),
  step('createFineTuningJob', (c, { file }) => c.fineTuning.jobs.create({ model: BASE, training_file: file }), { makes: 'second' }),
  step('cancelFineTuningJob', (c, { second }) => c.fineTuning.jobs.cancel(second), { good: is('status', 'cancelled') }),
  step('createBatch', (c, { lines }) => c.batches.create({ input_file_id: lines, ...ENDPOINT }), { makes: 'next' }),
  step('cancelBatch', (c, { next }) => c.batches.cancel(next)),
  step('cancelVectorStoreFileBatch', (c, { store, group }) => c.vectorStores.fileBatches.cancel(group, { vector_store_id: store })),
  step('deleteVectorStoreFile', (c, { store, notes }) => c.vectorStores.files.delete(notes, { vector_store_id: store }), { good: deleted }),
  step('deleteVectorStore', (c, { store }) => c.vectorStores.delete(store), { good: deleted }),
  step('deleteChatCompletion', (c, { chat }) => c.chat.completions.delete(chat), { good: deleted }),
  step('cancelResponse', (c, { later }) => c.responses.cancel(later)),
  step('deleteResponse', (c, { response }) => c.responses.delete(response)),
  step('cancelRun', (c, { thread, stopped }) => c.beta.threads.runs.cancel(stopped, { thread_id: thread })),
  step('deleteMessage', (c, { thread, said: one }) => c.beta.threads.messages.delete(one, { thread_id: thread }), { good: deleted }),
  step('deleteThread', (c, { thread }) => c.beta.threads.delete(thread), { good: deleted }),
  step('deleteAssistant', (c, { assistant }) => c.beta.assistants.delete(assistant), { good: deleted }),
  step('deleteConversationItem', (c, { talk, entry }) => c.conversations.items.delete(entry, { conversation_id: talk })),
  step('deleteConversation', (c, { talk }) => c.conversations.delete(talk), { good: deleted }),
  step('DeleteContainerFile', (c, { box, inner }) => c.containers.files.delete(inner, { container_id: box })),
  step('DeleteContainer', (c, { box }) => c.containers.delete(box)),
  // The SDK's own path, and that of its twin for Python.
  step('cancelEvalRun', (c, { evaluation, trial }) => c.evals.runs.cancel(trial, { eval_id: evaluation }), { good: is('status', 'canceled') }),
  step('cancelEvalRun_sdk', (c, { evaluation, trial }) => c.post(`/evals/${evaluation}/runs/${trial}/cancel`)),
  step('deleteEvalRun', (c, { evaluation, trial }) => c.evals.runs.delete(trial, { eval_id: evaluation }), { good: deleted }),
  step('deleteEval', (c, { evaluation }) => c.evals.delete(evaluation), { good: deleted }),
  step('deleteModel', (c, { model }) => c.models.delete(model), { good: deleted }),
  step('deleteFile', (c, { file }) => c.files.delete(file), { good: deleted }),
];
export const MAKES = [...FILES, ...TRAINING, ...STORES, ...CHAT, ...ASSISTANTS, ...CONVERSATIONS, ...CONTAINERS, ...EVALS, ...OTHERS];
