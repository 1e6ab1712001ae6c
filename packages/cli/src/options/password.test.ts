import { expect, it } from 'vitest';
import { withoutPassword } from './password';

it.each([
  ['postgresql://me:hidden@db/q', 'postgresql://me@db/q'],
  ['postgresql+psycopg2://me:hid:den@db:5432/q', 'postgresql+psycopg2://me@db:5432/q'],
  ['postgresql://me:hid@den@db/q', 'postgresql://me@db/q'],
  ['postgresql://me:hid/den@db/q', 'postgresql://me@db/q'],
  ['postgresql://:hidden@[::1]:5432/q', 'postgresql://@[::1]:5432/q'],
  ['postgresql://db/q?password=hidden', 'postgresql://db/q'],
  ['postgresql://db/q?password=hidden&sslmode=require', 'postgresql://db/q?sslmode=require'],
  ['postgresql://db/q?user=me&pass%77ord=hidden#end', 'postgresql://db/q?user=me#end'],
])('shows %s as %s', (text, shown) => expect(withoutPassword(text)).toBe(shown));

it.each([
  'postgresql://me@db:5432/q?application_name=a@b&sslmode=require',
  'postgresql://db:5432/q?application_name=a@b',
  'postgresql://[::1]:5432/q?application_name=a@b',
  'sqlite:////folder/a:b@c.db',
  'https://host:8080/a:b@c?',
  'C:\\folder\\a@b?password=x',
  'ray://head',
])('leaves %s as it is', (text) => expect(withoutPassword(text)).toBe(text));
