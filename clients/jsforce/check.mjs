// Runs jsforce against the sandbox at the given address: node check.mjs http://127.0.0.1:PORT
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import jsforce from 'jsforce';

const url = process.argv[2];
if (!url) {
  console.error('Usage: node check.mjs URL');
  process.exit(2);
}
const { version } = JSON.parse(readFileSync(new URL('./node_modules/jsforce/package.json', import.meta.url)));
const run = Date.now().toString(36);
const conn = new jsforce.Connection({
  loginUrl: url,
  instanceUrl: url,
  version: '62.0',
  oauth2: { loginUrl: url, clientId: 'sandbox-client', clientSecret: 'sandbox-secret' },
});
const created = [];
let contactId;

const checks = {
  'client-credentials token': async () => {
    const user = await conn.authorize({ grant_type: 'client_credentials' });
    assert.match(user.id, /^005\w{15}$/);
    assert.equal(conn.instanceUrl, url);
  },
  'identity': async () => {
    const identity = await conn.identity();
    assert.equal(identity.user_id, conn.userInfo.id);
    assert.equal(identity.organization_id, conn.userInfo.organizationId);
  },
  'global describe': async () => {
    const { sobjects } = await conn.describeGlobal();
    assert.ok(sobjects.some((one) => one.name === 'Task' && one.keyPrefix === '00T'));
  },
  'describe': async () => {
    const { fields } = await conn.sobject('Task').describe();
    const key = fields.find((field) => field.name === 'Playbooks_Key__c');
    assert.deepEqual([key.externalId, key.unique, key.length], [true, true, 64]);
    assert.equal(fields.find((field) => field.name === 'TaskSubtype').updateable, false);
  },
  'query with a parent': async () => {
    const { records } = await conn.query('SELECT Id, Name, Account.Name FROM Contact WHERE AccountId != null LIMIT 1');
    contactId = records[0].Id;
    assert.equal(typeof records[0].Account.Name, 'string');
  },
  'query built by jsforce': async () => {
    const contacts = await conn.sobject('Contact').find({ Id: { $in: [contactId] }, Email: { $like: '%@%' } }, 'Id, Email');
    assert.equal(contacts.length, 1);
  },
  'create': async () => {
    const answer = await conn.sobject('Task').create({ Subject: `js ${run}`, Status: 'Completed', WhoId: contactId });
    assert.equal(answer.success, true);
    const task = await conn.sobject('Task').retrieve(answer.id);
    assert.deepEqual([task.Subject, task.IsClosed], [`js ${run}`, true]);
    created.push(answer.id);
  },
  'a refused create': async () => {
    await assert.rejects(conn.sobject('Contact').create({ FirstName: 'Nobody' }), { errorCode: 'REQUIRED_FIELD_MISSING' });
  },
  '450 rows in collections': async () => {
    const rows = Array.from({ length: 450 }, (_, n) => ({ Subject: `js ${run} row ${n}`, Playbooks_Key__c: `js-${run}-${n}` }));
    const answers = await conn.sobject('Task').create(rows, { allowRecursive: true });
    assert.equal(answers.filter((answer) => answer.success).length, 450);
    created.push(...answers.map((answer) => answer.id));
  },
  'query with paging': async () => {
    const soql = `SELECT Id, Subject FROM Task WHERE Subject LIKE 'js ${run} row %' ORDER BY Playbooks_Key__c`;
    const records = [];
    let page = await conn.query(soql, { headers: { 'Sforce-Query-Options': 'batchSize=200' } });
    const pages = [page.records.length];
    records.push(...page.records);
    while (!page.done) {
      page = await conn.queryMore(page.nextRecordsUrl);
      pages.push(page.records.length);
      records.push(...page.records);
    }
    assert.deepEqual(pages, [200, 200, 50]);
    assert.equal(new Set(records.map((record) => record.Id)).size, 450);
  },
  'query count': async () => {
    const answer = await conn.query(`SELECT COUNT() FROM Task WHERE Subject LIKE 'js ${run} row %'`);
    assert.equal(answer.totalSize, 450);
  },
  'a refused query': async () => {
    await assert.rejects(conn.query('SELECT Nothing__c FROM Task'), { errorCode: 'INVALID_FIELD' });
    await assert.rejects(conn.query('SELECT Id FROM Task GROUP BY Id'), { errorCode: 'MALFORMED_QUERY' });
  },
  'upsert': async () => {
    const key = `js-${run}-upsert`;
    const first = await conn.sobject('Task').upsert({ Playbooks_Key__c: key, Subject: 'First' }, 'Playbooks_Key__c');
    const second = await conn.sobject('Task').upsert({ Playbooks_Key__c: key, Subject: 'Second' }, 'Playbooks_Key__c');
    assert.equal(first.success && second.success, true);
    const { records } = await conn.query(`SELECT Id, Subject FROM Task WHERE Playbooks_Key__c = '${key}'`);
    assert.deepEqual(records.map((record) => [record.Id, record.Subject]), [[first.id, 'Second']]);
    created.push(first.id);
  },
  'upsert of many': async () => {
    const rows = [0, 1, 'new'].map((n) => ({ Playbooks_Key__c: `js-${run}-${n}`, Subject: `js ${run} again` }));
    const answers = await conn.sobject('Task').upsert(rows, 'Playbooks_Key__c');
    assert.deepEqual(answers.map((answer) => answer.success), [true, true, true]);
    created.push(answers[2].id);
  },
  'update': async () => {
    const answer = await conn.sobject('Task').update({ Id: created[0], Description: 'Changed' });
    assert.equal(answer.success, true);
    assert.equal((await conn.sobject('Task').retrieve(created[0])).Description, 'Changed');
  },
  'composite with a reference': async () => {
    const { compositeResponse } = await conn.requestPost('/services/data/v62.0/composite', {
      allOrNone: true,
      compositeRequest: [
        { method: 'POST', url: '/services/data/v62.0/sobjects/Account', referenceId: 'org', body: { Name: `js ${run}` } },
        {
          method: 'POST',
          url: '/services/data/v62.0/sobjects/Task',
          referenceId: 'task',
          body: { Subject: `js ${run} composite`, WhatId: '@{org.id}' },
        },
        { method: 'GET', url: '/services/data/v62.0/sobjects/Task/@{task.id}?fields=WhatId', referenceId: 'read' },
      ],
    });
    assert.deepEqual(compositeResponse.map((one) => one.httpStatusCode), [201, 201, 200]);
    assert.equal(compositeResponse[2].body.WhatId, compositeResponse[0].body.id);
    created.push(compositeResponse[1].body.id);
  },
  'limits': async () => {
    const { DailyApiRequests } = await conn.limits();
    assert.ok(DailyApiRequests.Remaining < DailyApiRequests.Max);
    assert.equal(conn.limitInfo.apiUsage.limit, DailyApiRequests.Max);
  },
  'delete': async () => {
    const one = await conn.sobject('Task').destroy(created[0]);
    assert.equal(one.success, true);
    const rest = await conn.sobject('Task').destroy(created.slice(1), { allowRecursive: true });
    assert.equal(rest.filter((answer) => answer.success).length, created.length - 1);
  },
  'query with scanAll': async () => {
    const soql = `SELECT Id, IsDeleted FROM Task WHERE Subject LIKE 'js ${run} row %'`;
    assert.equal((await conn.query(soql)).totalSize, 0);
    const { records } = await conn.query(soql, { scanAll: true });
    assert.deepEqual([records.length, records.every((record) => record.IsDeleted)], [448, true]);
  },
  'logout': async () => {
    const same = new jsforce.Connection({ instanceUrl: url, accessToken: conn.accessToken, version: '62.0' });
    await conn.logout();
    await assert.rejects(same.query('SELECT Id FROM Task'), { errorCode: 'INVALID_SESSION_ID' });
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`jsforce ${version}: ${name}: ok`);
  } catch (error) {
    failed += 1;
    console.log(`jsforce ${version}: ${name}: FAILED: ${error.errorCode ?? ''} ${error.stack}`);
  }
}
process.exit(failed ? 1 : 0);
