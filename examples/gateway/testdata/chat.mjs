// An application: the official openai package, unchanged but for its base URL.
//
//   node chat.mjs < JOB > WHAT-IT-GOT     the package under $OPENAI_MODULES
//
// A job is {base, conversation, calls: [{api, stream, body}]}. Of each call there is
// what the application sees: the final message, and how many pieces it came in; or
// the class and status of the error.
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';

const OpenAI = createRequire(process.env.OPENAI_MODULES + '/')('openai');
const job = JSON.parse(await text(process.stdin));
const openai = new OpenAI({
  apiKey: 'sk-of-the-application',
  baseURL: job.base + '/v1',
  maxRetries: 0,
  defaultHeaders: job.conversation ? { 'X-Conversation': job.conversation } : {},
});

const apis = {
  async chat({ stream, body }) {
    if (!stream) {
      const answer = await openai.chat.completions.create(body);
      return { pieces: 1, message: answer.choices[0].message };
    }
    let pieces = 0;
    const run = openai.chat.completions.stream(body);
    for await (const chunk of run) {
      if (chunk.object !== 'chat.completion.chunk' || chunk.choices.length !== 1) throw new Error('no chunk');
      pieces++;
    }
    const answer = await run.finalChatCompletion();
    return { pieces, message: answer.choices[0].message, finish: answer.choices[0].finish_reason };
  },
  async responses({ body }) {
    let pieces = 0;
    const run = openai.responses.stream(body);
    for await (const event of run) if (event.type === 'response.output_text.delta') pieces++;
    const answer = await run.finalResponse();
    return { pieces, message: { content: answer.output_text } };
  },
};

const got = [];
for (const call of job.calls) {
  try {
    got.push(await apis[call.api](call));
  } catch (error) {
    got.push({ error: error.constructor.name, status: error.status ?? 0 });
  }
}
console.log(JSON.stringify(got));
