package authn

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
)

// The key file of a development issuer: one PEM block, PKCS #8, P-256.
const (
	devKeyFile  = "dev-issuer.pem"
	devKeyBlock = "PRIVATE KEY"
	// maxDevKeyBytes is many times what the block needs.
	maxDevKeyBytes = 4 << 10
)

// ErrDevKey is a key file that is refused: readable by others, or no single
// PKCS #8 key on P-256.
var ErrDevKey = errors.New("authn: development key refused")

// createDevKey writes a new key under a temporary name and links it into its
// place. The link fails if the name is taken, so that of two processes that
// start at once one gets its key and the other is told to open it. A crash
// before the link leaves a temporary file (0600) whose key nobody uses; after
// it, a whole key file.
func createDevKey(dir string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("authn: making the development key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("authn: encoding the development key: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("authn: the folder of the development key: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("authn: the folder of the development key: %w", err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: devKeyBlock, Bytes: der})
	err = linkNew(root, devKeyFile, block)
	if err := errors.Join(err, root.Close()); err != nil {
		return nil, fmt.Errorf("authn: writing the development key: %w", err)
	}
	return key, nil
}

// linkNew makes the file name with content, durably, or fails if it exists.
func linkNew(root *os.Root, name string, content []byte) (err error) {
	temporary := name + "." + rand.Text()
	file, err := root.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Remove(temporary)) }()
	_, err = file.Write(content)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := root.Link(temporary, name); err != nil {
		return err
	}
	// Without this the name, unlike the content, could be lost with the power.
	folder, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func readDevKey(dir string) (*ecdsa.PrivateKey, error) {
	file, err := os.OpenInRoot(dir, devKeyFile)
	if err != nil {
		return nil, fmt.Errorf("authn: opening the development key: %w", err)
	}
	content, err := readPrivate(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	block, _ := pem.Decode(content)
	if block == nil || block.Type != devKeyBlock || !bytes.Equal(pem.EncodeToMemory(block), content) {
		return nil, fmt.Errorf("%w: not one PEM block %q", ErrDevKey, devKeyBlock)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: not PKCS #8", ErrDevKey)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%w: not on P-256", ErrDevKey)
	}
	return key, nil
}

// readPrivate judges the mode of the open file, not of its name, which could
// be another file by the time it is read.
func readPrivate(file *os.File) ([]byte, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("authn: the development key: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: no regular file that only its owner may read (0600)", ErrDevKey)
	}
	if info.Size() > maxDevKeyBytes {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrDevKey, maxDevKeyBytes)
	}
	content, err := io.ReadAll(io.LimitReader(file, maxDevKeyBytes))
	if err != nil {
		return nil, fmt.Errorf("authn: reading the development key: %w", err)
	}
	return content, nil
}
