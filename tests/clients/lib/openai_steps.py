"""Every served operation of the `openai` profile, by the SDK for Python. `drive_operations.py` walks them."""
import json

from steps import Step

BASE = "gpt-4o-mini-2024-07-18"
LINE = b'{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]}\n'
REQUEST = {"custom_id": "x", "method": "POST", "url": "/v1/chat/completions", "body": {"model": BASE, "messages": [{"role": "user", "content": "hi"}]}}
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {"query": {"type": "string"}}}}}
GRADER = {"type": "score_model", "name": "g", "input": [{"role": "user", "content": "rate"}]}
CRITERION = {"type": "string_check", "name": "same", "input": "{{item.a}}", "reference": "b", "operation": "eq"}
CONFIG = {"type": "custom", "item_schema": {"type": "object", "properties": {"a": {"type": "string"}}}, "include_sample_schema": False}
ENDPOINT = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
RUN_ENDS = ("thread.run.completed", "done", "thread.run.requires_action")
PICTURE = ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(range(64)), "image/png")
SOUND = ("a.wav", b"RIFF good morning", "audio/wav")


def user(text):
    return [{"role": "user", "content": text}]


def asking(file):
    return [{"type": "message", **user([{"type": "input_file", "file_id": file}])[0]}]


def tool_calls(run):
    return [{"tool_call_id": call.id, "output": "found"} for call in run.required_action.submit_tool_outputs.tool_calls]


def answer_tools(c, thread, waiting):
    """What the run asks is known to its owner alone; with another's run or thread any answer will do."""
    try:
        outputs = tool_calls(c.beta.threads.runs.retrieve(waiting, thread_id=thread))
    except Exception:  # noqa: BLE001
        outputs = [{"tool_call_id": "call_x", "output": "found"}]
    return c.beta.threads.runs.submit_tool_outputs(waiting, thread_id=thread, tool_outputs=outputs)


FILES = [
    Step("createFile", lambda c: c.files.create(file=("t.jsonl", LINE), purpose="fine-tune"), makes="file"),
    Step("createFile", lambda c: c.files.create(file=("b.jsonl", json.dumps(REQUEST).encode() + b"\n"), purpose="batch"), makes="lines"),
    Step("createFile", lambda c: c.files.create(file=("n.md", b"anteaters eat ants\n"), purpose="assistants"), makes="notes"),
    Step("listFiles", lambda c: c.files.list(limit=1), lists="file"),
    Step("listFiles", lambda c, notes: c.files.list(after=notes)),
    Step("retrieveFile", lambda c, file: c.files.retrieve(file)),
    Step("downloadFile", lambda c, file: c.files.content(file), good=lambda got: got == LINE),
    Step("createUpload", lambda c: c.uploads.create(bytes=5, filename="x.txt", mime_type="text/plain", purpose="user_data"), makes="upload"),
    Step("addUploadPart", lambda c, upload: c.uploads.parts.create(upload, data=b"hello"), makes="part"),
    Step("createUpload", lambda c: c.uploads.create(bytes=5, filename="x.txt", mime_type="text/plain", purpose="user_data"), makes="open"),
]
TRAINING = [
    Step("createFineTuningJob", lambda c, file: c.fine_tuning.jobs.create(model=BASE, training_file=file, validation_file=file, suffix="whole"), makes="job"),
    Step("retrieveFineTuningJob", lambda c, job: c.fine_tuning.jobs.retrieve(job), ready=lambda got: got.status == "succeeded",
         makes={"model": lambda got: got.fine_tuned_model, "result": lambda got: got.result_files[0]}),
    Step("listPaginatedFineTuningJobs", lambda c: c.fine_tuning.jobs.list(limit=1), lists="job"),
    Step("listPaginatedFineTuningJobs", lambda c, job: c.fine_tuning.jobs.list(after=job)),
    Step("listFineTuningEvents", lambda c, job: c.fine_tuning.jobs.list_events(job, limit=2), makes={"event": lambda got: got[0].id}),
    Step("listFineTuningEvents", lambda c, job, event: c.fine_tuning.jobs.list_events(job, after=event)),
    Step("listFineTuningJobCheckpoints", lambda c, job: c.fine_tuning.jobs.checkpoints.list(job, limit=1),
         makes={"checkpoint": lambda got: got[0].fine_tuned_model_checkpoint, "point": lambda got: got[0].id}),
    Step("listFineTuningJobCheckpoints", lambda c, job, point: c.fine_tuning.jobs.checkpoints.list(job, after=point)),
    Step("downloadFile", lambda c, result: c.files.content(result), good=lambda got: got.startswith(b"step,")),
    Step("createFineTuningJob", lambda c, model, file: c.fine_tuning.jobs.create(model=model, training_file=file), makes="second"),
    Step("pauseFineTuningJob", lambda c, second: c.fine_tuning.jobs.pause(second), good=lambda got: got.status == "paused"),
    Step("resumeFineTuningJob", lambda c, second: c.fine_tuning.jobs.resume(second)),
    Step("runGrader", lambda c, model: c.fine_tuning.alpha.graders.run(grader={**GRADER, "model": model}, model_sample="b", item={"a": "b"}), good=lambda got: got.reward == 1),
    Step("validateGrader", lambda c, model: c.fine_tuning.alpha.graders.validate(grader={**GRADER, "model": model})),
    Step("listModels", lambda c: c.models.list(), lists="model"),
    Step("retrieveModel", lambda c, model: c.models.retrieve(model)),
    Step("retrieveModel", lambda c, checkpoint: c.models.retrieve(checkpoint)),
    Step("createBatch", lambda c, lines: c.batches.create(input_file_id=lines, **ENDPOINT), makes="batch"),
    Step("retrieveBatch", lambda c, batch: c.batches.retrieve(batch), ready=lambda got: got.status == "completed", makes={"output": lambda got: got.output_file_id}),
    Step("downloadFile", lambda c, output: c.files.content(output), good=lambda got: b"You said: hi" in got),
    Step("createBatch", lambda c, lines: c.batches.create(input_file_id=lines, **ENDPOINT), makes="next"),
    Step("listBatches", lambda c: c.batches.list(limit=1), lists="batch"),
    Step("listBatches", lambda c, batch: c.batches.list(after=batch)),
]
STORES = [
    Step("createVectorStore", lambda c, notes: c.vector_stores.create(name="notes", file_ids=[notes]), makes="store"),
    Step("listVectorStores", lambda c: c.vector_stores.list(limit=1), lists="store"),
    Step("listVectorStores", lambda c, store: c.vector_stores.list(after=store)),
    Step("listVectorStores", lambda c, store: c.vector_stores.list(before=store)),
    Step("getVectorStore", lambda c, store: c.vector_stores.retrieve(store)),
    Step("modifyVectorStore", lambda c, store: c.vector_stores.update(store, name="other"), good=lambda got: got.name == "other"),
    Step("createVectorStoreFile", lambda c, store, file: c.vector_stores.files.create(store, file_id=file)),
    Step("searchVectorStore", lambda c, store: c.vector_stores.search(store, query="anteaters"), good=lambda got: "anteaters" in got[0].content[0].text),
    Step("listVectorStoreFiles", lambda c, store: c.vector_stores.files.list(store, limit=1), lists="notes"),
    Step("listVectorStoreFiles", lambda c, store, notes: c.vector_stores.files.list(store, after=notes)),
    Step("getVectorStoreFile", lambda c, store, notes: c.vector_stores.files.retrieve(notes, vector_store_id=store)),
    Step("updateVectorStoreFileAttributes", lambda c, store, notes: c.vector_stores.files.update(notes, vector_store_id=store, attributes={"k": "v"})),
    Step("retrieveVectorStoreFileContent", lambda c, store, notes: c.vector_stores.files.content(notes, vector_store_id=store)),
    Step("createVectorStoreFileBatch", lambda c, store, notes, file: c.vector_stores.file_batches.create(store, file_ids=[notes, file]), makes="group"),
    Step("createVectorStoreFileBatch", lambda c, store, notes: c.vector_stores.file_batches.create(store, files=[{"file_id": notes}])),
    Step("getVectorStoreFileBatch", lambda c, store, group: c.vector_stores.file_batches.retrieve(group, vector_store_id=store)),
    Step("listFilesInVectorStoreBatch", lambda c, store, group: c.vector_stores.file_batches.list_files(group, vector_store_id=store), lists="notes"),
    Step("listFilesInVectorStoreBatch", lambda c, store, group, notes: c.vector_stores.file_batches.list_files(group, vector_store_id=store, after=notes)),
]
CHAT = [
    Step("createChatCompletion", lambda c, model: c.chat.completions.create(model=model, messages=user("hi"), store=True), makes="chat",
         good=lambda got: got.choices[0].message.content == "You said: hi"),
    Step("createChatCompletion", lambda c, model: c.chat.completions.create(model=model, messages=user("hi"), stream=True),
         good=lambda got: "".join(choice.delta.content or "" for each in got for choice in each.choices) == "You said: hi"),
    Step("createChatCompletion", lambda c, checkpoint, file: c.chat.completions.create(
        model=checkpoint, messages=user([{"type": "text", "text": "read"}, {"type": "file", "file": {"file_id": file}}]))),
    Step("listChatCompletions", lambda c: c.chat.completions.list(limit=1), lists="chat"),
    Step("listChatCompletions", lambda c, chat: c.chat.completions.list(after=chat)),
    Step("listChatCompletions", lambda c, model: c.chat.completions.list(model=model)),
    Step("getChatCompletion", lambda c, chat: c.chat.completions.retrieve(chat)),
    Step("updateChatCompletion", lambda c, chat: c.chat.completions.update(chat, metadata={"k": "v"})),
    Step("getChatCompletionMessages", lambda c, chat: c.chat.completions.messages.list(chat), makes={"message": lambda got: got[0].id}),
    Step("getChatCompletionMessages", lambda c, chat, message: c.chat.completions.messages.list(chat, after=message)),
    Step("createResponse", lambda c, model: c.responses.create(model=model, input="hi", store=True), makes="response",
         good=lambda got: got.output_text == "You said: hi"),
    Step("createResponse", lambda c, model: c.responses.create(model=model, input="hi", stream=True),
         good=lambda got: (got[0].type, got[-1].type) == ("response.created", "response.completed")),
    Step("createResponse", lambda c, response, store: c.responses.create(
        model=BASE, input="again", previous_response_id=response, tools=[{"type": "file_search", "vector_store_ids": [store]}])),
    Step("createResponse", lambda c, file: c.responses.create(model=BASE, input=user([{"type": "input_file", "file_id": file}]))),
    Step("createResponse", lambda c: c.responses.create(model=BASE, input="later", background=True, store=True), makes="later"),
    Step("getResponse", lambda c, response: c.responses.retrieve(response)),
    Step("getResponse", lambda c, response: c.responses.retrieve(response, stream=True), good=lambda got: got[-1].type == "response.completed"),
    Step("listInputItems", lambda c, response: c.responses.input_items.list(response), makes={"item": lambda got: got[0].id}),
    Step("listInputItems", lambda c, response, item: c.responses.input_items.list(response, after=item)),
    Step("Getinputtokencounts", lambda c, model: c.responses.input_tokens.count(model=model, input="four")),
    Step("Compactconversation", lambda c, response: c.responses.compact(model=BASE, input="x", previous_response_id=response)),
]
ASSISTANTS = [
    Step("createAssistant", lambda c, model: c.beta.assistants.create(model=model, tools=[TOOL]), makes="assistant"),
    Step("createAssistant", lambda c, store: c.beta.assistants.create(model=BASE, tool_resources={"file_search": {"vector_store_ids": [store]}})),
    Step("listAssistants", lambda c: c.beta.assistants.list(limit=1), lists="assistant"),
    Step("listAssistants", lambda c, assistant: c.beta.assistants.list(after=assistant)),
    Step("getAssistant", lambda c, assistant: c.beta.assistants.retrieve(assistant)),
    Step("modifyAssistant", lambda c, assistant, model: c.beta.assistants.update(assistant, model=model, name="n"), good=lambda got: got.name == "n"),
    Step("createThread", lambda c, file: c.beta.threads.create(messages=[{"role": "user", "content": "hi", "attachments": [{"file_id": file, "tools": [{"type": "file_search"}]}]}]), makes="thread"),
    Step("getThread", lambda c, thread: c.beta.threads.retrieve(thread)),
    Step("modifyThread", lambda c, thread: c.beta.threads.update(thread, metadata={"k": "v"})),
    Step("createMessage", lambda c, thread: c.beta.threads.messages.create(thread, role="user", content="hello"), makes="said"),
    Step("listMessages", lambda c, thread: c.beta.threads.messages.list(thread, limit=1), lists="said"),
    Step("listMessages", lambda c, thread, said: c.beta.threads.messages.list(thread, after=said)),
    Step("getMessage", lambda c, thread, said: c.beta.threads.messages.retrieve(said, thread_id=thread)),
    Step("modifyMessage", lambda c, thread, said: c.beta.threads.messages.update(said, thread_id=thread, metadata={"k": "v"})),
    Step("createRun", lambda c, thread, assistant: c.beta.threads.runs.create(thread, assistant_id=assistant), makes="run"),
    Step("createRun", lambda c, thread, assistant: c.beta.threads.runs.create(thread, assistant_id=assistant, stream=True),
         good=lambda got: got[-1].event in RUN_ENDS),
    Step("listRuns", lambda c, thread: c.beta.threads.runs.list(thread, limit=1), lists="run"),
    Step("listRuns", lambda c, thread, run: c.beta.threads.runs.list(thread, after=run)),
    Step("getRun", lambda c, thread, run: c.beta.threads.runs.retrieve(run, thread_id=thread)),
    Step("modifyRun", lambda c, thread, run: c.beta.threads.runs.update(run, thread_id=thread, metadata={"k": "v"})),
    Step("listRunSteps", lambda c, thread, run: c.beta.threads.runs.steps.list(run, thread_id=thread), makes={"step": lambda got: got[0].id}),
    Step("listRunSteps", lambda c, thread, run, step: c.beta.threads.runs.steps.list(run, thread_id=thread, after=step)),
    Step("getRunStep", lambda c, thread, run, step: c.beta.threads.runs.steps.retrieve(step, thread_id=thread, run_id=run)),
    Step("createMessage", lambda c, thread: c.beta.threads.messages.create(thread, role="user", content="call a tool")),
    Step("createRun", lambda c, thread, assistant: c.beta.threads.runs.create(thread, assistant_id=assistant), makes="waiting", good=lambda got: got.status == "requires_action"),
    Step("submitToolOuputsToRun", answer_tools),
    Step("createMessage", lambda c, thread: c.beta.threads.messages.create(thread, role="user", content="call a tool")),
    Step("createRun", lambda c, thread, assistant: c.beta.threads.runs.create(thread, assistant_id=assistant), makes="stopped", good=lambda got: got.status == "requires_action"),
    Step("createThreadAndRun", lambda c, assistant: c.beta.threads.create_and_run(assistant_id=assistant, thread={"messages": user("hi")}),
         makes={"other_thread": lambda got: got.thread_id}),
    Step("createThreadAndRun", lambda c, assistant: c.beta.threads.create_and_run(assistant_id=assistant, thread={"messages": user("hi")}, stream=True),
         makes={"streamed_thread": lambda got: next(each.data.id for each in got if each.event == "thread.created")}, good=lambda got: got[-1].event in RUN_ENDS),
    Step("getThread", lambda c, streamed_thread: c.beta.threads.retrieve(streamed_thread)),
    Step("getThread", lambda c, other_thread: c.beta.threads.retrieve(other_thread)),
]
CONVERSATIONS = [
    Step("createConversation", lambda c: c.conversations.create(items=[{"type": "message", **user("hi")[0]}]), makes="talk"),
    Step("createConversation", lambda c, file: c.conversations.create(items=asking(file))),
    Step("getConversation", lambda c, talk: c.conversations.retrieve(talk)),
    Step("updateConversation", lambda c, talk: c.conversations.update(talk, metadata={"k": "v"})),
    Step("createConversationItems", lambda c, talk: c.conversations.items.create(talk, items=[{"type": "message", **user("more")[0]}]), makes={"entry": lambda got: got.data[0].id}),
    Step("createConversationItems", lambda c, talk, file: c.conversations.items.create(talk, items=asking(file))),
    Step("listConversationItems", lambda c, talk: c.conversations.items.list(talk, limit=1), lists="entry"),
    Step("listConversationItems", lambda c, talk, entry: c.conversations.items.list(talk, after=entry)),
    Step("getConversationItem", lambda c, talk, entry: c.conversations.items.retrieve(entry, conversation_id=talk)),
    Step("createResponse", lambda c, talk: c.responses.create(model=BASE, input="in it", conversation=talk)),
    Step("CreateContainer", lambda c, file: c.containers.create(name="box", file_ids=[file]), makes="box"),
    Step("ListContainers", lambda c: c.containers.list(limit=1), lists="box"),
    Step("ListContainers", lambda c, box: c.containers.list(after=box)),
    Step("RetrieveContainer", lambda c, box: c.containers.retrieve(box)),
    Step("CreateContainerFile", lambda c, box: c.containers.files.create(box, file=("x.txt", b"hello")), makes="inner"),
    Step("CreateContainerFile_json", lambda c, box, file: c.post(f"/containers/{box}/files", body={"file_id": file}, cast_to=object)),
    Step("ListContainerFiles", lambda c, box: c.containers.files.list(box, limit=1), lists="inner"),
    Step("ListContainerFiles", lambda c, box, inner: c.containers.files.list(box, after=inner)),
    Step("RetrieveContainerFile", lambda c, box, inner: c.containers.files.retrieve(inner, container_id=box)),
    Step("RetrieveContainerFileContent", lambda c, box, inner: c.containers.files.content.retrieve(inner, container_id=box), good=lambda got: got == b"hello"),
]
EVALS = [
    Step("createEval", lambda c: c.evals.create(name="e", data_source_config=CONFIG, testing_criteria=[CRITERION]), makes="eval"),
    Step("createEval", lambda c, model: c.evals.create(name="e", data_source_config=CONFIG, testing_criteria=[{**GRADER, "model": model}])),
    Step("listEvals", lambda c: c.evals.list(limit=1), lists="eval"),
    Step("listEvals", lambda c, eval: c.evals.list(after=eval)),
    Step("getEval", lambda c, eval: c.evals.retrieve(eval)),
    Step("updateEval", lambda c, eval: c.evals.update(eval, name="f"), good=lambda got: got.name == "f"),
    Step("createEvalRun", lambda c, eval: c.evals.runs.create(eval, name="r", data_source={"type": "jsonl", "source": {"type": "file_content", "content": [{"item": {"a": "b"}}]}}), makes="trial"),
    Step("createEvalRun", lambda c, eval, file: c.evals.runs.create(eval, name="r", data_source={"type": "jsonl", "source": {"type": "file_id", "id": file}})),
    Step("getEvalRuns", lambda c, eval: c.evals.runs.list(eval, limit=1), lists="trial"),
    Step("getEvalRuns", lambda c, eval, trial: c.evals.runs.list(eval, after=trial)),
    Step("getEvalRun", lambda c, eval, trial: c.evals.runs.retrieve(trial, eval_id=eval)),
    Step("getEvalRunOutputItems", lambda c, eval, trial: c.evals.runs.output_items.list(trial, eval_id=eval), makes={"outcome": lambda got: got[0].id}),
    Step("getEvalRunOutputItems", lambda c, eval, trial, outcome: c.evals.runs.output_items.list(trial, eval_id=eval, after=outcome)),
    Step("getEvalRunOutputItem", lambda c, eval, trial, outcome: c.evals.runs.output_items.retrieve(outcome, eval_id=eval, run_id=trial)),
]
# Models of everybody's answer here; a model of the tenant's is asked for in the steps above, and in `NAMED`.
OTHERS = [
    Step("createCompletion", lambda c: c.completions.create(model="gpt-3.5-turbo-instruct", prompt="Once")),
    Step("createCompletion", lambda c: c.completions.create(model="gpt-3.5-turbo-instruct", prompt="Once", stream=True),
         good=lambda got: "Once" in "".join(each.choices[0].text for each in got)),
    Step("createEmbedding", lambda c: c.embeddings.create(model="text-embedding-3-small", input="one", dimensions=8), good=lambda got: len(got.data[0].embedding) == 8),
    Step("createModeration", lambda c: c.moderations.create(input="hello"), good=lambda got: not got.results[0].flagged),
    Step("createImage", lambda c: c.images.generate(model="gpt-image-1", prompt="a point")),
    Step("createImageEdit", lambda c: c.images.edit(model="gpt-image-1", image=PICTURE, prompt="x")),
    Step("createImageEdit_json", lambda c, file: c.post("/images/edits", body={"model": "gpt-image-1", "prompt": "x", "images": [{"file_id": file}]}, cast_to=object)),
    Step("createImageVariation", lambda c: c.images.create_variation(model="dall-e-3", image=PICTURE)),
    Step("createSpeech", lambda c: c.audio.speech.create(model="tts-1", voice="alloy", input="hi"), good=lambda got: got.endswith(b"hi")),
    Step("createTranscription", lambda c: c.audio.transcriptions.create(model="whisper-1", file=SOUND)),
    Step("createTranscription", lambda c: c.audio.transcriptions.create(model="gpt-4o-transcribe", file=SOUND, stream=True),
         good=lambda got: got[-1].type == "transcript.text.done" and "".join(each.delta for each in got[:-1]) == got[-1].text),
    Step("createTranslation", lambda c: c.audio.translations.create(model="whisper-1", file=SOUND)),
]
NAMED = [
    Step("createCompletion", lambda c, model: c.completions.create(model=model, prompt="hi")),
    Step("createEmbedding", lambda c, model: c.embeddings.create(model=model, input="hi")),
    Step("createModeration", lambda c, model: c.moderations.create(model=model, input="hi")),
    Step("createImage", lambda c, model: c.images.generate(model=model, prompt="hi")),
    Step("createImageEdit", lambda c, model: c.images.edit(model=model, image=PICTURE, prompt="x")),
    Step("createImageVariation", lambda c, model: c.images.create_variation(model=model, image=PICTURE)),
    Step("createSpeech", lambda c, model: c.audio.speech.create(model=model, voice="alloy", input="hi")),
    Step("createTranscription", lambda c, model: c.audio.transcriptions.create(model=model, file=SOUND)),
    Step("createTranslation", lambda c, model: c.audio.translations.create(model=model, file=SOUND)),
]
ENDS = [
    Step("completeUpload", lambda c, upload, part: c.uploads.complete(upload, part_ids=[part]), good=lambda got: got.status == "completed"),
    Step("cancelUpload", lambda c, open: c.uploads.cancel(open), good=lambda got: got.status == "cancelled"),
    Step("createFineTuningJob", lambda c, file: c.fine_tuning.jobs.create(model=BASE, training_file=file), makes="second"),
    Step("cancelFineTuningJob", lambda c, second: c.fine_tuning.jobs.cancel(second), good=lambda got: got.status == "cancelled"),
    Step("createBatch", lambda c, lines: c.batches.create(input_file_id=lines, **ENDPOINT), makes="next"),
    Step("cancelBatch", lambda c, next: c.batches.cancel(next)),
    Step("cancelVectorStoreFileBatch", lambda c, store, group: c.vector_stores.file_batches.cancel(group, vector_store_id=store)),
    Step("deleteVectorStoreFile", lambda c, store, notes: c.vector_stores.files.delete(notes, vector_store_id=store)),
    Step("deleteVectorStore", lambda c, store: c.vector_stores.delete(store), good=lambda got: got.deleted),
    Step("deleteChatCompletion", lambda c, chat: c.chat.completions.delete(chat), good=lambda got: got.deleted),
    Step("cancelResponse", lambda c, later: c.responses.cancel(later)),
    Step("deleteResponse", lambda c, response: c.responses.delete(response)),
    Step("cancelRun", lambda c, thread, stopped: c.beta.threads.runs.cancel(stopped, thread_id=thread)),
    Step("deleteMessage", lambda c, thread, said: c.beta.threads.messages.delete(said, thread_id=thread), good=lambda got: got.deleted),
    Step("deleteThread", lambda c, thread: c.beta.threads.delete(thread), good=lambda got: got.deleted),
    Step("deleteAssistant", lambda c, assistant: c.beta.assistants.delete(assistant), good=lambda got: got.deleted),
    Step("deleteConversationItem", lambda c, talk, entry: c.conversations.items.delete(entry, conversation_id=talk)),
    Step("deleteConversation", lambda c, talk: c.conversations.delete(talk), good=lambda got: got.deleted),
    Step("DeleteContainerFile", lambda c, box, inner: c.containers.files.delete(inner, container_id=box)),
    Step("DeleteContainer", lambda c, box: c.containers.delete(box)),
    # The SDK's own path, and that of the specification.
    Step("cancelEvalRun_sdk", lambda c, eval, trial: c.evals.runs.cancel(trial, eval_id=eval), good=lambda got: got.status == "canceled"),
    Step("cancelEvalRun", lambda c, eval, trial: c.post(f"/evals/{eval}/runs/{trial}", cast_to=object)),
    Step("deleteEvalRun", lambda c, eval, trial: c.evals.runs.delete(trial, eval_id=eval)),
    Step("deleteEval", lambda c, eval: c.evals.delete(eval), good=lambda got: got.deleted),
    Step("deleteModel", lambda c, model: c.models.delete(model), good=lambda got: got.deleted),
    Step("deleteFile", lambda c, file: c.files.delete(file), good=lambda got: got.deleted),
]
MAKES = FILES + TRAINING + STORES + CHAT + ASSISTANTS + CONVERSATIONS + EVALS + OTHERS
