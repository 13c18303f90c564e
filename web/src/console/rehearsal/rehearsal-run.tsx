'use client';

import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { answerOf, operatorApi, Refusal } from '../../api/operator';
import { Action } from '../../ui/action';
import { count } from '../../ui/format';
import { Notice } from '../../ui/notice';
import { When } from '../../ui/when';
import { type Rehearsal, rehearsalsKey, toldOf } from './rehearsals';
import { ms, verdictOf } from './verdict';

/** The latest rehearsal: how it goes, or what came of it. */
export function RehearsalRun({ rehearsal }: { rehearsal: Rehearsal }) {
  const { tone, title, sentences } = verdictOf(rehearsal);
  return (
    <section aria-labelledby="latest-rehearsal">
      <h2 id="latest-rehearsal" className="text-lead font-bold">
        Rehearsal {rehearsal.id}
      </h2>
      <p className="mb-4 text-muted">
        <Terms rehearsal={rehearsal} /> Started by {rehearsal.operator}, <When iso={rehearsal.startedAt} />.
      </p>
      {rehearsal.status === 'running' ? (
        <Progress rehearsal={rehearsal} />
      ) : (
        <Notice tone={tone} title={title}>
          {sentences.map(sentence => (
            <p key={sentence}>{sentence}</p>
          ))}
        </Notice>
      )}
    </section>
  );
}

function Terms({ rehearsal: { allocation, shoppers, ratePerSecond, seconds } }: { rehearsal: Rehearsal }) {
  return (
    <>
      {count(shoppers)} shoppers, {count(allocation)} units, {count(ratePerSecond)} requests a second for{' '}
      {seconds} s.
    </>
  );
}

function Progress({ rehearsal: { id, seconds, progress } }: { rehearsal: Rehearsal }) {
  const elapsedS = Math.min(seconds, (progress?.elapsedMs ?? 0) / 1000);
  const told = toldOf(progress?.outcomes ?? []);
  const isJudged = elapsedS >= seconds - 0.5;
  return (
    <div className="rounded-base border border-rule bg-surface">
      <div className="flex flex-wrap items-center justify-between gap-4 p-4">
        <p role="status" className="font-bold">
          {isJudged ? 'The load is over; the answers are held against the orders …' : 'The crowd is here …'}
        </p>
        <StopButton id={id} />
      </div>
      <progress
        className="block h-2 w-full appearance-none bg-rule [&::-moz-progress-bar]:bg-ink [&::-webkit-progress-bar]:bg-rule [&::-webkit-progress-value]:bg-ink"
        aria-label="Time that has passed"
        max={seconds}
        value={elapsedS}
      />
      <dl className="grid grid-cols-2 gap-px bg-rule sm:grid-cols-3 lg:grid-cols-6">
        <Reads name="Seconds" text={`${elapsedS.toFixed(0)} of ${seconds}`} />
        <Reads name="Requests" text={count(progress?.requests ?? 0)} />
        <Reads name="Sold" text={count(told.sold)} />
        <Reads name="Refused" text={count(told.refused)} />
        <Reads name="Turned away" text={count(told.turnedAway + told.unanswered)} />
        <Reads name="99 % within" text={ms(progress?.p99Ms ?? 0)} />
      </dl>
    </div>
  );
}

function Reads({ name, text }: { name: string; text: string }) {
  return (
    <div className="bg-surface p-4">
      <dt className="text-note text-muted">{name}</dt>
      <dd className="figures mt-1 text-lead">{text}</dd>
    </div>
  );
}

function StopButton({ id }: { id: number }) {
  const client = useQueryClient();
  const [asked, setAsked] = useState(false);
  const [problem, setProblem] = useState<string>();

  async function stop(): Promise<void> {
    setAsked(true);
    setProblem(undefined);
    try {
      await answerOf(
        operatorApi.DELETE('/api/admin/rehearsals/{id}', { params: { path: { id: String(id) } } }),
      );
      await client.invalidateQueries({ queryKey: rehearsalsKey });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      setAsked(false);
      setProblem(error.message);
    }
  }

  return (
    <div className="flex flex-wrap items-center gap-3">
      {problem !== undefined && (
        <p role="alert" className="text-bad">
          {problem}
        </p>
      )}
      <Action weight="tool-danger" aria-disabled={asked} onClick={() => void (asked || stop())}>
        {asked ? 'Stopping …' : 'Stop'}
      </Action>
    </div>
  );
}
